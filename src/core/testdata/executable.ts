import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Makes an executable script in a folder of its own. @returns its path */
export function executable(name: string, script: string): string {
  const path = join(mkdtempSync(join(tmpdir(), "executable-")), name);
  writeFileSync(path, script);
  chmodSync(path, 0o755);
  return path;
}
