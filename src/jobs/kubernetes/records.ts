import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Environment } from "../../core/environment.ts";
import { replaceFile } from "../../core/files.ts";
import { stateFolder } from "../../core/user-folders.ts";
import type { JobStatus } from "../engine.ts";

/** This machine's note of a job that it submitted: where the job is, and how it ended. */
export interface JobNote {
  /** Of the Job. */
  readonly name: string;
  readonly context: string;
  readonly namespace: string;
  /** ISO 8601. */
  readonly submitted: string;
  /** Set when its deletion was asked for from here: how it ended once the cluster knows it no longer. */
  readonly ending?: JobStatus;
  /** Set when it was deleted from here: the cluster knows it no longer. */
  readonly end?: JobStatus;
}

/** The notes of this user, a file each. Jobs are found without them too, in the cluster that is chosen. */
export class JobNotes {
  readonly #folder: string;

  constructor(env: Environment) {
    this.#folder = join(stateFolder(env), "kubernetes");
  }

  async write(note: JobNote): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await replaceFile(this.#path(note.name), JSON.stringify(note));
  }

  async read(name: string): Promise<JobNote | undefined> {
    const text = await readFile(this.#path(name), "utf8").catch(() => undefined);
    return text === undefined ? undefined : (JSON.parse(text) as JobNote);
  }

  async remove(name: string): Promise<void> {
    await rm(this.#path(name), { force: true });
  }

  async all(): Promise<JobNote[]> {
    const names = (await readdir(this.#folder).catch(() => [])).filter((name) => name.endsWith(".json"));
    const notes = await Promise.all(names.map((name) => this.read(name.slice(0, -".json".length))));
    return notes.filter((note) => note !== undefined);
  }

  #path(name: string): string {
    return join(this.#folder, `${name}.json`);
  }
}
