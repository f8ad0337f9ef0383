import process from "node:process";
import { setImmediate as nextTurn } from "node:timers/promises";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Does something that a person may interrupt, and then ends with status 130.
 *
 * @param words what becomes of it then
 */
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

/**
 * Does something that has no end of its own when a person interrupts it: this process ends with status 130, and what is to be removed with it, such as
 * files with credentials, is. A signal that nobody listens to would leave them.
 *
 * @param words what becomes of it then
 */
export async function endedByInterrupt(action: () => Promise<void>, words: string): Promise<void> {
  const end = () => {
    process.stderr.write(`slipway: ${words}\n`);
    process.exit(130);
  };
  for (const signal of signals) process.once(signal, end);
  try {
    await action();
  } catch (error) {
    // A terminal's signal goes to the programs that are waited for as well, and their end may be heard of first: signals are looked at once more.
    await nextTurn();
    await nextTurn();
    throw error;
  } finally {
    for (const signal of signals) process.removeListener(signal, end);
  }
}
