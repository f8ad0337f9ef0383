import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../core/errors.ts";

/** The runfiles of the run target. */
export class Runfiles {
  readonly folder: string;
  /** Label of the run target. */
  readonly target: string;

  constructor(folder: string, target: string) {
    this.folder = folder;
    this.target = target;
  }

  /** The path of a runfile, which may not exist. */
  path(runfile: string): string {
    return join(this.folder, runfile);
  }

  /** @throws Failure with target and file if it cannot be read */
  read(runfile: string): Buffer {
    try {
      return readFileSync(this.path(runfile));
    } catch (cause) {
      throw this.missing(runfile, cause);
    }
  }

  /** The error for a runfile that cannot be used. */
  missing(runfile: string, cause: unknown): Failure {
    const why = (cause as NodeJS.ErrnoException).code === "ENOENT" ? "is missing" : `cannot be read (${cause})`;
    return new Failure(
      { code: "target-invalid", culprit: runfile },
      `${this.target}: ${runfile} ${why} in its runfiles, ${this.folder}.`,
      `Build it again: bazel build ${this.target}.`,
      { cause },
    );
  }
}
