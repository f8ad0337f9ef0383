import { spawn } from "node:child_process";
import { runProcess } from "../run-process.ts";

/** Started again by itself, it leaves a process behind that has its standard output. */
if (process.argv[2] === "inner") {
  process.stdout.write(String(spawn("sleep", ["1000"], { stdio: "inherit" }).pid), () => process.exit(3));
} else {
  const chunks: Buffer[] = [];
  const onStdout = (chunk: Buffer) => void chunks.push(chunk);
  const status = await runProcess({ programArguments: ["inner"], env: {}, stdin: "", onStdout });
  process.stdout.write(JSON.stringify({ status, pid: Buffer.concat(chunks).toString() }));
}
