type Stop = (signal: NodeJS.Signals) => Promise<void>;

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const running = new Set<Stop>();
/** Set when a signal arrives. Settles only if the program survives the signal. */
let interruption: Promise<void> | undefined;

/** Stops all running work and waits until it has ended. */
export async function stopAll(signal: NodeJS.Signals): Promise<void> {
  await Promise.allSettled([...running].map((stop) => stop(signal)));
}

function interrupted(signal: NodeJS.Signals): void {
  interruption ??= handOn(signal);
}

/** Passes the signal on, then kills this process with it as if there were no handler, unless the program has its own. */
async function handOn(signal: NodeJS.Signals): Promise<void> {
  await stopAll(signal);
  process.removeListener(signal, interrupted);
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  process.on(signal, interrupted);
  interruption = undefined;
}

/** If the program dies of an exception, running work gets the signal; waiting is no longer possible. */
function exiting(): void {
  for (const stop of running) void stop("SIGTERM");
}

/**
 * Delays SIGINT, SIGTERM and SIGHUP while `work` runs: they call `stop` first.
 *
 * @param stop sends the signal immediately and stops the work; settles when it has ended
 * @param abortion does what SIGTERM does
 */
export async function interruptible<T>(work: Promise<T>, stop: Stop, abortion?: AbortSignal): Promise<T> {
  const abort = () => void stop("SIGTERM").catch(() => {});
  abortion?.addEventListener("abort", abort, { once: true });
  if (abortion?.aborted) abort();
  if (running.size === 0) {
    for (const signal of signals) process.on(signal, interrupted);
    process.on("exit", exiting);
  }
  running.add(stop);
  try {
    return await work;
  } finally {
    // The caller must not report the end of the work before this process dies of the signal.
    await interruption;
    abortion?.removeEventListener("abort", abort);
    running.delete(stop);
    if (running.size === 0) {
      for (const signal of signals) process.removeListener(signal, interrupted);
      process.removeListener("exit", exiting);
    }
  }
}
