import process from "node:process";
import { untilInterrupted } from "../../core/until-interrupted.ts";
import { type ServiceEngine, serviceEngine } from "../../services/engine.ts";
import { optionError } from "../usage-error.ts";
import { notice } from "./output.ts";

/** Forwards a port of this machine to a service, and prints its URL, until it is interrupted. */
export async function openByName({
  name,
  engine,
  port,
  target,
}: {
  readonly name: string;
  readonly engine?: ServiceEngine | undefined;
  readonly port?: number | undefined;
  readonly target?: number | undefined;
}): Promise<void> {
  for (const [option, value] of Object.entries({ "--port": port, "--target": target })) {
    if (value === undefined || (Number.isInteger(value) && value > 0 && value < 65_536)) continue;
    throw optionError(option, `${option} is not the number of a port.`, "Give a whole number from 1 to 65535.");
  }
  const onUrl = (url: string) => {
    process.stdout.write(`${url}\n`);
    notice(`${name} is open; press Ctrl-C to close it.`);
  };
  await untilInterrupted(async (signal) => {
    const options = { port, target, signal, onUrl, notice };
    if (serviceEngine(engine, process.env) === "container") {
      const { openService } = await import("../../services/container/open.ts");
      return openService(process.env, name, options);
    }
    const { openCluster } = await import("../../kubernetes/cluster.ts");
    const { openService } = await import("../../services/kubernetes/open.ts");
    await openService(await openCluster(process.env), name, options);
  }, "");
}
