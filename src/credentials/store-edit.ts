import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { Environment } from "../core/environment.ts";
import { Failure, UserError } from "../core/errors.ts";
import { replaceFile } from "../core/files.ts";
import { type Lock, waitForLock } from "../core/lock.ts";
import type { Entry } from "./source.ts";
import { readStore, storePath } from "./store.ts";

/** Milliseconds. Others hold the lock only while they read and write the file. */
const patience = 20_000;

/** Atomic and under a lock. Mode 0600; a new folder gets 0700. `change` gets the oldest first. */
export async function editStore(env: Environment, change: (entries: readonly Entry[]) => readonly Entry[]) {
  const path = storePath(env);
  const late = AbortSignal.timeout(patience);
  let lock: Lock | undefined;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    lock = await waitForLock(`${path}.lock`, late);
    const entries = await readStore(env);
    const changed = change(entries);
    if (changed === entries) return;
    await replaceFile(path, `${JSON.stringify({ version: 1, credentials: changed }, undefined, 2)}\n`);
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    if (lock === undefined && late.aborted) {
      const identity = { code: "file-unwritable", culprit: `${path}.lock` } as const;
      throw new Failure(identity, `Another process keeps ${path}.lock locked.`, "Wait for it, or end it.");
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UserError(
      { code: "file-unwritable", culprit: path },
      `Credential file ${path} cannot be written: ${reason}.`,
      "Make it writable for you, or set XDG_CONFIG_HOME to a folder that you can write to.",
      { cause },
    );
  } finally {
    lock?.release();
  }
}

/** As the newest. Replaces an entry of the same name, or a nameless one for the same URL. */
export function withEntry(entries: readonly Entry[], added: Entry): readonly Entry[] {
  const isReplaced = (entry: Entry) =>
    added.name === undefined
      ? entry.name === undefined && entry.service === added.service && entry.url === added.url
      : entry.name === added.name;
  return [...entries.filter((entry) => !isReplaced(entry)), added];
}
