// A client of the cluster in a process of its own, which a test may kill: client.ts WHAT ARGUMENT, with a Program, or a
// job's id.
import { KubernetesEngine } from "../../../src/jobs/kubernetes/engine.ts";

const [what, argument = ""] = process.argv.slice(2);
const engine = new KubernetesEngine(process.env);
switch (what) {
  case "submit":
    console.log(await engine.submit(JSON.parse(argument)));
    break;
  case "collect":
    console.log(JSON.stringify(await engine.collect(argument)));
    break;
  case "cancel":
    await engine.cancel(argument);
    break;
  case "logs":
    for await (const { data } of engine.logs(argument, { follow: true })) process.stdout.write(data);
    break;
}
