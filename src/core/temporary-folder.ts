import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removedAtEnd } from "./interrupts.ts";

/** A folder that only this user can enter. */
export interface TemporaryFolder {
  readonly path: string;
  /** Removes it. The end of this process does too, also by a signal. */
  remove(): void;
}

/** @param prefix the start of its name */
export function temporaryFolder(prefix: string): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), prefix));
  const clear = () => rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  const release = removedAtEnd(clear);
  return {
    path,
    remove: () => {
      clear();
      release();
    },
  };
}
