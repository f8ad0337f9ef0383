import { parseDuration } from "../../config/quantity.ts";
import type { Given } from "../command.ts";
import { optionError, requireWhole } from "../usage-error.ts";
import type { logLines } from "./options.ts";

export function shownLog({ tail, since, timestamps }: Given<typeof logLines>) {
  requireWhole("--tail", tail, 0, "a number of lines", "Give a whole number, such as 100.");
  return { tail, since: since === undefined ? undefined : timeOf(since), timestamps };
}

/** `10m` ago, or a time. @throws UserError for what is neither */
export function timeOf(text: string, now = Date.now()): Date {
  const seconds = parseDuration(text);
  const time = new Date(
    seconds === undefined ? (/^\d{4}-\d\d-\d\d/.test(text) ? text : Number.NaN) : now - seconds * 1000,
  );
  if (!Number.isNaN(time.getTime())) return time;
  throw optionError(
    "--since",
    `--since: ${text} is neither a duration nor a time.`,
    "Write it like 90s, 10m or 12h, or like 2026-01-31T12:00:00Z.",
  );
}
