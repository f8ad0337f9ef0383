import { existsSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { userPath } from "../../core/user-path.ts";
import { isLockPath, lockPath } from "../../jobs/lock.ts";
import { type DeploymentFile, readDeployment } from "../../jobs/read.ts";
import { optionError } from "../usage-error.ts";

/** The options that select a job. */
export interface JobOptions {
  /** The job's document, or its lock. */
  readonly file: string;
  /** Folder for relative paths and the lock. Default: the document's. Bazel sets it, since the document is among its outputs. */
  readonly folder?: string | undefined;
  /** The Bazel target of the job. */
  readonly target?: string | undefined;
}

/** The files of a job. */
export class JobFile {
  readonly path: string;
  /** Names of the document and its lock in messages. */
  readonly name: string;
  readonly lockName: string;
  /** Absolute. */
  readonly folder: string;
  readonly lockPath: string;
  readonly isLock: boolean;
  readonly #target: string | undefined;

  constructor({ file, folder, target }: JobOptions) {
    this.path = userPath(file);
    this.folder = folder === undefined ? dirname(this.path) : userPath(folder);
    const place = join(this.folder, basename(this.path));
    this.isLock = isLockPath(this.path);
    this.lockPath = this.isLock ? this.path : lockPath(place);
    this.name = folder === undefined ? file : relative(userPath("."), place);
    this.lockName = this.isLock ? this.name : lockPath(this.name);
    this.#target = target;
  }

  /** The job's name: the file name without extensions. */
  get title(): string {
    return basename(this.path).replace(/(\.lock)?\.(ya?ml|json)$/, "");
  }

  get hasLock(): boolean {
    return existsSync(this.lockPath);
  }

  /** The command to suggest for resolving the job. */
  get resolveCommand(): string {
    return this.#target === undefined ? `slipway job resolve ${this.name}` : `bazel run ${this.#target}_resolve`;
  }

  /** The command that runs the job now, whatever its schedule. */
  get onceCommand(): string {
    if (this.#target !== undefined) return `bazel run ${this.#target} -- --once`;
    const folder = this.folder === dirname(this.path) ? "" : ` --folder ${shellWord(this.folder)}`;
    return `slipway job run --once ${shellWord(this.path)}${folder}`;
  }

  async read(): Promise<DeploymentFile> {
    return { ...(await readDeployment(this.path, this.name)), folder: this.folder };
  }

  /** @throws UserError for a lock */
  refuseLock(): void {
    if (this.isLock) throw optionError(this.name, `${this.name} is a lock, not a job.`, "Name the file of the job.");
  }
}

function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
