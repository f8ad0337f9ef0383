import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";

/** A lock that the kernel gives up when its process ends, however it ends. */
export interface Lock {
  release(): void;
}

/**
 * Takes the lock of a file, or gives `undefined` when a live process has it. SQLite's exclusive transaction is the one thing in Node
 * that locks a file in the kernel; a file with a process id in it would outlive a killed process.
 */
export function takeLock(path: string): Lock | undefined {
  const database = new DatabaseSync(path);
  try {
    database.exec("BEGIN EXCLUSIVE");
    return { release: () => database.close() };
  } catch (error) {
    database.close();
    const code = error instanceof Error && "errcode" in error ? error.errcode : undefined;
    const busy = 5;
    if (code === busy) return undefined;
    throw error;
  }
}

/** Takes the lock of a file, as soon as whoever has it gives it up: for work of seconds or minutes. */
export async function waitForLock(path: string, signal?: AbortSignal): Promise<Lock> {
  for (;;) {
    const lock = takeLock(path);
    if (lock) return lock;
    // There is nothing to gain by asking more often.
    await delay(100, undefined, signal ? { signal } : {});
  }
}
