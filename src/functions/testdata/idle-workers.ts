/** Starts two workers in pods, of which one runs a call without end, says so, and waits to be killed. */
import { PodWorkers } from "../pod-workers.ts";
import { Line } from "./line.ts";

const spec = { name: "f", image: process.argv[2] ?? "", programArguments: [], env: {}, network: "none", resources: {} } as const;
const group = await new PodWorkers(process.env).open(spec, () => {});
const lines = [new Line(group), new Line(group)];
await Promise.all(lines.map((line) => line.ready));
void lines[0]?.call("waits");
process.stdout.write("ready\n");
