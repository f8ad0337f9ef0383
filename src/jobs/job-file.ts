import { existsSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { Document } from "../config/document.ts";
import { readDocument } from "../config/read-document.ts";
import { UserError } from "../core/errors.ts";
import { shellQuote } from "../core/shell-quote.ts";
import { userPath } from "../core/user-path.ts";
import { isLockPath, lockPath, parseJobLock } from "./lock.ts";
import { parseDeployment } from "./read.ts";
import type { Deployment, JobLock } from "./schema.ts";

export interface JobPlace {
  readonly file: string;
  /** Folder for relative paths and the lock. Default: the document's, which in Bazel is an output. */
  readonly folder?: string | undefined;
  readonly target?: string | undefined;
  readonly text?: string;
}

export class JobFile {
  readonly path: string;
  /** Names in messages. */
  readonly name: string;
  readonly lockName: string;
  readonly folder: string;
  readonly lockPath: string;
  readonly isLock: boolean;
  readonly #target: string | undefined;
  #text: Promise<string> | undefined;

  constructor({ file, folder, target, text }: JobPlace) {
    this.path = userPath(file);
    this.folder = folder === undefined ? dirname(this.path) : userPath(folder);
    const place = join(this.folder, basename(this.path));
    this.isLock = isLockPath(this.path);
    this.lockPath = this.isLock ? this.path : lockPath(place);
    this.name = folder === undefined ? file : relative(userPath(), place);
    this.lockName = this.isLock ? this.name : lockPath(this.name);
    this.#target = target;
    if (text !== undefined) this.#text = Promise.resolve(text);
  }

  get title(): string {
    return basename(this.path).replace(/(\.lock)?\.(ya?ml|json)$/, "");
  }

  get hasLock(): boolean {
    return existsSync(this.lockPath);
  }

  get resolveCommand(): string {
    return this.#target === undefined ? `slipway job resolve ${this.name}` : `bazel run ${this.#target}_resolve`;
  }

  get onceCommand(): string {
    if (this.#target !== undefined) return `bazel run ${this.#target} -- --once`;
    const folder = this.folder === dirname(this.path) ? "" : ` --folder ${shellQuote(this.folder)}`;
    return `slipway job run --once ${shellQuote(this.path)}${folder}`;
  }

  /** @throws UserError with file, line, column, field and nearest known name of every mistake */
  async read(): Promise<Deployment> {
    return parseDeployment(await this.#read(), this.name);
  }

  async readLock(): Promise<JobLock> {
    const text = this.isLock ? this.#read() : readDocument(this.lockPath, this.lockName);
    return parseJobLock(await text, this.lockName);
  }

  /** The document and the path to the deployment in it, to name the place of a value. */
  async document(): Promise<{ readonly document: Document; readonly above: readonly string[] }> {
    return { document: Document.parse(await this.#read(), this.name), above: this.isLock ? ["deployment"] : [] };
  }

  refuseLock(): void {
    if (!this.isLock) return;
    const identity = { code: "command-line-invalid", culprit: this.name } as const;
    throw new UserError(identity, `${this.name} is a lock, not a job.`, "Name the file of the job.");
  }

  #read(): Promise<string> {
    this.#text ??= readDocument(this.path, this.name);
    return this.#text;
  }
}
