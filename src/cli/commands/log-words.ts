import { parseDuration } from "../../config/quantity.ts";
import { optionError } from "../usage-error.ts";

export interface LogWords {
  readonly tail?: number | undefined;
  readonly since?: string | undefined;
  readonly timestamps: boolean;
}

export function shownLog({ tail, since, timestamps }: LogWords) {
  return { tail: requireLines(tail), since: since === undefined ? undefined : timeOf(since), timestamps };
}

function requireLines(tail: number | undefined): number | undefined {
  if (tail === undefined || (Number.isInteger(tail) && tail >= 0)) return tail;
  throw optionError("--tail", "--tail is not a number of lines.", "Give a whole number, such as 100.");
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
