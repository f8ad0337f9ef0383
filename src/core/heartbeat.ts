/** Milliseconds between two lines. */
const every = 5000;

/** A value for `after`, in milliseconds, for work that is usually done by then. */
export const patience = 3000;

export interface HeartbeatOptions {
  /** Writes a line for people. Default: to standard error, with a prefix. */
  readonly write?: (line: string) => void;
  /** Milliseconds until the first line. Default: 0. */
  readonly after?: number;
}

/**
 * Tells people that silent work is running: `podman is pulling IMAGE`, repeated every 5 s with the elapsed time, `podman is pulling IMAGE (10 s)`.
 * Does not keep the process alive.
 *
 * @returns a function that stops it
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
