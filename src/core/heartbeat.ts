/** Milliseconds between two lines. */
const every = 5000;

/** How long people may wonder whether anything happens, in milliseconds: the `after` of what is mostly done by then. */
export const patience = 3000;

export interface HeartbeatOptions {
  /** Writes a line for people. Default: to standard error, with what it comes from. */
  readonly write?: (line: string) => void;
  /** Milliseconds until the first line; 0 by default. */
  readonly after?: number;
}

/**
 * Tells people that something is under way that is silent itself: `podman is pulling IMAGE`, and every 5 s the same with the time it has taken,
 * `podman is pulling IMAGE (10 s)`. Keeps no process alive.
 *
 * @returns ends it
 */
export function heartbeat(what: string | (() => string), { write = toStderr, after = 0 }: HeartbeatOptions = {}) {
  const startedAt = performance.now();
  const beat = () => {
    timer = setTimeout(beat, every).unref();
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    write(`${typeof what === "string" ? what : what()}${seconds > 0 ? ` (${seconds} s)` : ""}`);
  };
  let timer: NodeJS.Timeout | undefined;
  if (after > 0) timer = setTimeout(beat, after).unref();
  else beat();
  return (): void => clearTimeout(timer);
}

function toStderr(line: string): void {
  process.stderr.write(`slipway: ${line}\n`);
}
