import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { atPath } from "./system-error.ts";

/** A lock that the kernel releases when its process ends, also after a crash. */
export interface Lock extends Disposable {
  release(): void;
}

/** Undefined if a live process has the lock. SQLite's exclusive transaction is the only kernel file lock in Node. */
export function takeLock(path: string): Lock | undefined {
  let database: DatabaseSync | undefined;
  try {
    const opened = new DatabaseSync(path);
    database = opened;
    database.exec("BEGIN EXCLUSIVE");
    const release = () => opened.close();
    return { release, [Symbol.dispose]: release };
  } catch (error) {
    database?.close();
    const code = error instanceof Error && "errcode" in error ? error.errcode : undefined;
    const busy = 5;
    if (code === busy) return undefined;
    throw atPath(error, path);
  }
}

export async function waitForLock(path: string, signal?: AbortSignal): Promise<Lock> {
  for (;;) {
    const lock = takeLock(path);
    if (lock) return lock;
    await delay(100, undefined, signal ? { signal } : {});
  }
}
