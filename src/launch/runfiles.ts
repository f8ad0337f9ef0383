import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../core/errors.ts";

export class Runfiles {
  readonly folder: string;
  readonly target: string;

  constructor(folder: string, target: string) {
    this.folder = folder;
    this.target = target;
  }

  path(runfile: string): string {
    return join(this.folder, runfile);
  }

  /** @throws Failure with target and file if it cannot be read */
  read(runfile: string): Buffer {
    try {
      return readFileSync(this.path(runfile));
    } catch (cause) {
      const why = (cause as NodeJS.ErrnoException).code === "ENOENT" ? "is missing" : `cannot be read (${cause})`;
      throw new Failure(
        { code: "target-invalid", culprit: runfile },
        `${this.target}: ${runfile} ${why} in its runfiles, ${this.folder}.`,
        `Build it again: bazel build ${this.target}.`,
        { cause },
      );
    }
  }
}
