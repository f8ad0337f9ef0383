type Stop = (signal: NodeJS.Signals) => Promise<void>;

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const running = new Set<Stop>();
const removals = new Set<() => void>();
let isWatching = false;
/** Set when a signal arrives. Settles only if the program survives the signal. */
let interruption: Promise<void> | undefined;

export async function stopAll(signal: NodeJS.Signals): Promise<void> {
  await Promise.allSettled([...running].map((stop) => stop(signal)));
}

function interrupted(signal: NodeJS.Signals): void {
  interruption ??= handOn(signal);
}

/** Passes the signal on, then dies of it as if there were no handler, unless the program has its own. */
async function handOn(signal: NodeJS.Signals): Promise<void> {
  await stopAll(signal);
  process.removeListener(signal, interrupted);
  if (process.listenerCount(signal) === 0) {
    // A signal without a handler runs no exit handler either.
    for (const remove of removals) remove();
    process.kill(process.pid, signal);
  }
  if (isWatching) process.on(signal, interrupted);
  interruption = undefined;
}

/** If the program dies of an exception, running work gets the signal; waiting is no longer possible. */
function exiting(): void {
  for (const stop of running) void stop("SIGTERM");
  for (const remove of removals) remove();
}

/** Watches for signals as long as there is something to stop or to remove. */
function watch(): void {
  const isNeeded = running.size + removals.size > 0;
  if (isNeeded === isWatching) return;
  isWatching = isNeeded;
  for (const signal of signals) process[isNeeded ? "on" : "removeListener"](signal, interrupted);
  process[isNeeded ? "on" : "removeListener"]("exit", exiting);
}

/** Calls `remove` when this process ends, also by a signal. @returns a function that forgets it */
export function removedAtEnd(remove: () => void): () => void {
  removals.add(remove);
  watch();
  return () => {
    removals.delete(remove);
    watch();
  };
}

/** Delays SIGINT, SIGTERM and SIGHUP until `stop`, which ends the work, has settled. `abortion` acts as SIGTERM. */
export async function interruptible<T>(work: Promise<T>, stop: Stop, abortion?: AbortSignal): Promise<T> {
  const abort = () => void stop("SIGTERM").catch(() => {});
  abortion?.addEventListener("abort", abort, { once: true });
  if (abortion?.aborted) abort();
  running.add(stop);
  watch();
  try {
    return await work;
  } finally {
    // The caller must not report the end of the work before this process dies of the signal.
    await interruption;
    abortion?.removeEventListener("abort", abort);
    running.delete(stop);
    watch();
  }
}
