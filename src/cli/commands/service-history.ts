import process from "node:process";
import type { Revision } from "../../services/history.ts";
import { type EngineName, openServiceEngine } from "../../services/open-engine.ts";
import { columns, notice, printJson } from "./output.ts";
import { interruptible, printChange, timeLimitOf, type WaitOptions } from "./service-apply.ts";

interface ServiceOptions {
  readonly name: string;
  readonly engine?: EngineName | undefined;
}

const afterInterrupt = "What was changed stays: `slipway service status` tells how the service is.";

export async function showHistory({ name, engine, json }: ServiceOptions & { readonly json: boolean }): Promise<void> {
  const revisions = await (await openServiceEngine(engine, process.env)).history(name);
  if (json) printJson(revisions);
  else process.stdout.write(historyLines(revisions));
}

function historyLines(revisions: readonly Revision[]): string {
  const rows = revisions.map(({ revision, created, cause = "", image = "", isCurrent }) => [
    `${revision}${isCurrent ? " (current)" : ""}`,
    created.replace(/\.\d+Z$/, "Z"),
    image,
    cause,
  ]);
  return columns([["REVISION", "CREATED", "IMAGE", "CAUSE"], ...rows]);
}

export async function rollBack(
  options: ServiceOptions & WaitOptions & { readonly to?: number | undefined },
): Promise<void> {
  const { name, to } = options;
  const waiting = timeLimitOf(options);
  const engine = await openServiceEngine(options.engine, process.env);
  const change = async (signal?: AbortSignal) => {
    const revision = await engine.rollBack(name, to, { ...waiting, onChange: printChange, notice, signal });
    notice(`${name} is at revision ${revision} again. The next apply of its file makes it what the file says.`);
  };
  await interruptible(engine.isAbortable && options.wait, change, afterInterrupt);
}

export async function restart(options: ServiceOptions & WaitOptions): Promise<void> {
  const { name, wait } = options;
  const waiting = timeLimitOf(options);
  const engine = await openServiceEngine(options.engine, process.env);
  const change = async (signal?: AbortSignal) => {
    const isComplete = await engine.restart(name, { ...waiting, notice, signal });
    if (isComplete) notice(`${name} has restarted${wait ? ", and is ready" : ""}.`);
  };
  await interruptible(engine.isAbortable && wait, change, afterInterrupt);
}
