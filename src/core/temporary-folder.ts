import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removedAtEnd } from "./interrupts.ts";

/** A folder that only this user can enter. The end of this process removes it, also by a signal. */
export function temporaryFolder(prefix: string) {
  const path = mkdtempSync(join(tmpdir(), prefix));
  const clear = () => rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  const release = removedAtEnd(clear);
  const remove = (): void => {
    clear();
    release();
  };
  return { path, remove, [Symbol.dispose]: remove };
}
