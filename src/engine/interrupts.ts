type Stop = (signal: NodeJS.Signals) => Promise<void>;

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const running = new Set<Stop>();

/** Stops everything that runs and waits until nothing of it is left. */
export async function stopAll(signal: NodeJS.Signals): Promise<void> {
  await Promise.allSettled([...running].map((stop) => stop(signal)));
}

/** Hands the signal on, then dies of it as this process would have without a handler, unless the program handles it itself. */
function interrupted(signal: NodeJS.Signals): void {
  void stopAll(signal).then(() => {
    const isOurs = process.listenerCount(signal) === process.listeners(signal).filter((l) => l === interrupted).length;
    if (!isOurs) return;
    process.removeListener(signal, interrupted);
    process.kill(process.pid, signal);
  });
}

/**
 * Keeps SIGINT, SIGTERM and SIGHUP from ending this process while `work` is under way: they go to `stop` first.
 *
 * @param stop ends the work; settles when nothing of it is left
 */
export async function interruptible<T>(work: Promise<T>, stop: Stop): Promise<T> {
  if (running.size === 0) for (const signal of signals) process.on(signal, interrupted);
  running.add(stop);
  try {
    return await work;
  } finally {
    running.delete(stop);
    if (running.size === 0) for (const signal of signals) process.removeListener(signal, interrupted);
  }
}
