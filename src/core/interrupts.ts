type Stop = (signal: NodeJS.Signals) => Promise<void>;

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const running = new Set<Stop>();
/** Under way from a signal's arrival on; settles only where the program outlives the signal. */
let interruption: Promise<void> | undefined;

/** Stops everything that runs and waits until nothing of it is left. */
export async function stopAll(signal: NodeJS.Signals): Promise<void> {
  await Promise.allSettled([...running].map((stop) => stop(signal)));
}

function interrupted(signal: NodeJS.Signals): void {
  interruption ??= handOn(signal);
}

/** Hands the signal on, then dies of it as this process would have without a handler, unless the program has one of its own. */
async function handOn(signal: NodeJS.Signals): Promise<void> {
  await stopAll(signal);
  process.removeListener(signal, interrupted);
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  process.on(signal, interrupted);
  interruption = undefined;
}

/** What runs when the program dies of an exception gets at least the signal: waiting is no longer possible. */
function exiting(): void {
  for (const stop of running) void stop("SIGTERM");
}

function watch(): void {
  for (const signal of signals) process.on(signal, interrupted);
  process.on("exit", exiting);
}

function unwatch(): void {
  for (const signal of signals) process.removeListener(signal, interrupted);
  process.removeListener("exit", exiting);
}

/**
 * Keeps SIGINT, SIGTERM and SIGHUP from ending this process while `work` is under way: they go to `stop` first.
 *
 * @param stop sends the signal at once, and ends the work; settles when nothing of it is left
 */
export async function interruptible<T>(work: Promise<T>, stop: Stop): Promise<T> {
  if (running.size === 0) watch();
  running.add(stop);
  try {
    return await work;
  } finally {
    // Whoever waits for the work must not report its end before this process dies of the signal.
    await interruption;
    running.delete(stop);
    if (running.size === 0) unwatch();
  }
}
