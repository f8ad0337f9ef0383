import process from "node:process";
import { parseDuration } from "../../config/quantity.ts";
import { endedBefore } from "../../jobs/engine.ts";
import { optionError } from "../usage-error.ts";
import { engineOf, listAllJobs } from "./job-engines.ts";

export async function removeJobs({ ids }: { readonly ids: readonly string[] }): Promise<void> {
  // Check all IDs first, so that a typo in one removes nothing.
  for (const id of ids) await (await engineOf(id)).status(id);
  for (const id of ids) await (await engineOf(id)).remove(id);
}

/** Removes jobs that ended some time ago and prints their IDs. */
export async function pruneJobs({ olderThan }: { readonly olderThan: string }): Promise<void> {
  const seconds = olderThan === "0" ? 0 : parseDuration(olderThan);
  if (seconds === undefined) {
    const problem = `--older-than: ${olderThan} is not a duration.`;
    throw optionError("--older-than", problem, "Write it like 90s, 12h, 7d, or 0 for all.");
  }
  for (const { id } of endedBefore(await listAllJobs(), Date.now() - seconds * 1000)) {
    await (await engineOf(id)).remove(id);
    process.stdout.write(`${id}\n`);
  }
}
