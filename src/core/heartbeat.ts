import { printable } from "./printable.ts";

/**
 * How often people are told of what is waited for. This is the one place that says so.
 *
 * - Nothing is silent for more than 5 s while it waits: not for a registry, a node, a quota, the next attempt, or a
 * server. The time between
 *   two lines stays the same in a long wait, since a log that stands still for a minute looks like a program that
 *   hangs.
 * - What runs and is only counted, such as a map, is told of every 10 s where there is no terminal ({@link
 * countInterval}).
 * - A program that runs and prints nothing is not told of. Its silence is its own.
 */
export const every = 4000;

/** A value for `after`, in milliseconds, for work that is usually done by then. */
export const patience = 3000;

/** Milliseconds between two lines that count what has ended of many. */
export const countInterval = 10_000;

/** Milliseconds between looks while nothing is waited for, and for which a wait is then mostly over soon. */
const look = 1000;
const shortest = 2000;

/** `since`: milliseconds since the epoch. */
export interface Wait {
  readonly words: string;
  readonly since: number;
}

interface HeartbeatOptions {
  /** Writes a line for people. Default: to standard error, with a prefix. */
  readonly write?: (line: string) => void;
  readonly after?: number;
  readonly interval?: number;
}

/**
 * Prints every 4 s that silent work is running: `podman is pulling IMAGE (8 s)`. Does not keep the process alive.
 *
 * @param what undefined while nothing is waited for; a {@link Wait} has a time of its own
 */
export function heartbeat(
  what: string | (() => string | Wait | undefined),
  { write = toStderr, after = 0, interval = every }: HeartbeatOptions = {},
) {
  const startedAt = Date.now();
  let isIdle = false;
  const beat = () => {
    const now = typeof what === "string" ? what : what();
    const { words, since } = typeof now === "object" ? now : { words: now, since: startedAt };
    // The clock of a server may be ahead.
    const time = Math.max(0, Date.now() - since);
    isIdle = words === undefined || (isIdle && time < shortest);
    timer = setTimeout(beat, isIdle ? look : interval).unref();
    if (isIdle) return;
    const seconds = Math.round(time / 1000);
    write(`${words}${seconds > 0 ? ` (${seconds} s)` : ""}`);
  };
  let timer: NodeJS.Timeout | undefined;
  if (after > 0) timer = setTimeout(beat, after).unref();
  else beat();
  const end = (): void => clearTimeout(timer);
  return Object.assign(end, { [Symbol.dispose]: end });
}

function toStderr(line: string): void {
  process.stderr.write(`slipway: ${printable(line)}\n`);
}
