import process from "node:process";
import type { Revision } from "../../services/history.ts";
import { openServiceEngine } from "../../services/open-engine.ts";
import { command } from "../command.ts";
import { flag, json, number } from "./options.ts";
import { columns, notice, printJson } from "./output.ts";
import { interruptible, printChange, timeLimitOf } from "./service-apply.ts";
import { named, timeLimit } from "./service-options.ts";

const afterInterrupt = "What was changed stays: `slipway service status` tells how the service is.";

export const history = command({ ...named, json }, async ({ name, engine, json }) => {
  const revisions = await (await openServiceEngine(engine, process.env)).history(name);
  if (json) printJson(revisions);
  else process.stdout.write(historyLines(revisions));
});

const changing = {
  ...named,
  wait: flag("Wait until the service is ready, or exit with status 1 and the reason"),
  "time-limit": timeLimit,
};

function historyLines(revisions: readonly Revision[]): string {
  const rows = revisions.map(({ revision, created, cause = "", image = "", isCurrent }) => [
    `${revision}${isCurrent ? " (current)" : ""}`,
    created.replace(/\.\d+Z$/, "Z"),
    image,
    cause,
  ]);
  return columns([["REVISION", "CREATED", "IMAGE", "CAUSE"], ...rows]);
}

const to = number("Revision, as `service history` prints it. Default: the one before");

export const rollback = command({ ...changing, to }, async (options) => {
  const { name, to } = options;
  const waiting = timeLimitOf(options);
  const engine = await openServiceEngine(options.engine, process.env);
  const change = async (signal?: AbortSignal) => {
    const revision = await engine.rollBack(name, to, { ...waiting, onChange: printChange, notice, signal });
    notice(`${name} is at revision ${revision} again. The next apply of its file makes it what the file says.`);
  };
  await interruptible(engine.isAbortable && options.wait, change, afterInterrupt);
});

export const restart = command(changing, async (options) => {
  const { name, wait } = options;
  const waiting = timeLimitOf(options);
  const engine = await openServiceEngine(options.engine, process.env);
  const change = async (signal?: AbortSignal) => {
    const isComplete = await engine.restart(name, { ...waiting, notice, signal });
    if (isComplete) notice(`${name} has restarted${wait ? ", and is ready" : ""}.`);
  };
  await interruptible(engine.isAbortable && wait, change, afterInterrupt);
});
