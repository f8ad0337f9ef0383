import process from "node:process";
import { setImmediate as nextTurn } from "node:timers/promises";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Exits with status 130 after an interrupt, and prints `words`. */
export async function untilInterrupted(action: (signal: AbortSignal) => Promise<void>, words: string): Promise<void> {
  const interrupt = new AbortController();
  const leave = () => interrupt.abort();
  for (const signal of signals) process.once(signal, leave);
  try {
    await action(interrupt.signal);
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    if (words !== "") process.stderr.write(`slipway: ${words}\n`);
    process.exitCode = 130;
  } finally {
    for (const signal of signals) process.removeListener(signal, leave);
  }
}

/** For an action that cannot be aborted. Exit handlers run, which remove files such as credentials. */
export async function endedByInterrupt(action: () => Promise<void>, words: string): Promise<void> {
  const end = () => {
    process.stderr.write(`slipway: ${words}\n`);
    process.exit(130);
  };
  for (const signal of signals) process.once(signal, end);
  try {
    await action();
  } catch (error) {
    // A terminal also signals child processes, whose exit may be reported first. Lets our signal handler run.
    await nextTurn();
    await nextTurn();
    throw error;
  } finally {
    for (const signal of signals) process.removeListener(signal, end);
  }
}
