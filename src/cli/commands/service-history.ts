import process from "node:process";
import { Failure } from "../../core/errors.ts";
import { endedByInterrupt, untilInterrupted } from "../../core/until-interrupted.ts";
import { type ServiceEngine, serviceEngine } from "../../services/engine.ts";
import type { Revision } from "../../services/history.ts";
import { changeLines } from "../../services/printed-change.ts";
import { columns, notice, printJson } from "./output.ts";
import { requireSeconds } from "./service-apply.ts";

interface ServiceOptions {
  readonly name: string;
  readonly engine?: ServiceEngine | undefined;
}

/** Whether and how long to wait until a service is ready. */
interface WaitOptions {
  readonly wait: boolean;
  /** Seconds. */
  readonly timeLimit: number;
}

/** Lists the revisions of a service, the newest last. */
export async function showHistory({ name, engine, json }: ServiceOptions & { readonly json: boolean }): Promise<void> {
  const revisions = await revisionsOf({ name, engine });
  if (json) printJson(revisions);
  else process.stdout.write(historyLines(revisions));
}

/** The revisions of a service, the newest last. */
export async function revisionsOf({ name, engine }: ServiceOptions): Promise<readonly Revision[]> {
  if (serviceEngine(engine, process.env) === "container") {
    const { serviceHistory } = await import("../../services/container/go-back.ts");
    return serviceHistory(process.env, name);
  }
  const { serviceHistory } = await import("../../services/kubernetes/history.ts");
  return serviceHistory(await cluster(), name);
}

async function cluster() {
  const { openCluster } = await import("../../kubernetes/cluster.ts");
  return openCluster(process.env);
}

/** One line per revision, below a line of titles. */
function historyLines(revisions: readonly Revision[]): string {
  const rows = revisions.map(({ revision, created, cause = "", image = "", isCurrent }) => [
    `${revision}${isCurrent ? " (current)" : ""}`,
    created.replace(/\.\d+Z$/, "Z"),
    image,
    cause,
  ]);
  return columns([["REVISION", "CREATED", "IMAGE", "CAUSE"], ...rows]);
}

/** Goes back to an earlier revision. */
export async function rollBack(
  options: ServiceOptions & WaitOptions & { readonly to?: number | undefined },
): Promise<void> {
  const { name, to, wait, timeLimit } = options;
  requireSeconds(timeLimit);
  const told = (revision: number) =>
    notice(`${name} is at revision ${revision} again. The next apply of its file makes it what the file says.`);
  if (serviceEngine(options.engine, process.env) === "container") {
    const { rollBackService } = await import("../../services/container/go-back.ts");
    const onChange = (change: Parameters<typeof changeLines>[0]) => void process.stdout.write(changeLines(change));
    await endedByInterrupt(
      async () =>
        told(await rollBackService(process.env, name, to, { ...(wait ? { timeLimit } : {}), onChange, notice })),
      goesOn,
    );
    return;
  }
  const { rollBackService } = await import("../../services/kubernetes/history.ts");
  const { revision, changes } = await rollBackService(await cluster(), name, to);
  for (const change of changes) process.stdout.write(changeLines(change));
  if (wait) await untilReady(name, timeLimit);
  told(revision);
}

const goesOn = "What was changed stays: `slipway service status` tells how the service is.";

/** Starts the pods or containers of a service anew. */
export async function restart({ name, engine, wait, timeLimit }: ServiceOptions & WaitOptions): Promise<void> {
  requireSeconds(timeLimit);
  const told = () => notice(`${name} has restarted${wait ? ", and is ready" : ""}.`);
  if (serviceEngine(engine, process.env) === "container") {
    const { restartService } = await import("../../services/container/go-back.ts");
    const options = { ...(wait ? { timeLimit } : {}), notice };
    await endedByInterrupt(() => restartService(process.env, name, options), goesOn);
    return told();
  }
  const { restartService } = await import("../../services/kubernetes/history.ts");
  await restartService(await cluster(), name);
  notice(`The cluster replaces the pods of ${name}: \`slipway service status ${name}\` shows its state.`);
  if (wait && (await untilReady(name, timeLimit))) told();
}

/** @returns whether it is ready, and the wait was not interrupted */
async function untilReady(name: string, timeLimit: number): Promise<boolean> {
  const { waitUntilReady } = await import("../../services/kubernetes/wait.ts");
  let isReady = false;
  await untilInterrupted(async (signal) => {
    const reasons = await waitUntilReady(await cluster(), [name], { timeLimit, notice, signal });
    const reason = reasons.get(name);
    isReady = reason === undefined;
    if (isReady) return;
    throw new Failure(
      { code: "service-not-ready", culprit: name },
      `Service ${name} does not get ready: ${reason}`,
      "The cluster keeps trying: `slipway service status` shows its state.",
    );
  }, goesOn);
  return isReady;
}
