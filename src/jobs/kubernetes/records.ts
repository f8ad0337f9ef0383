import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Environment } from "../../core/environment.ts";
import { replaceFile } from "../../core/files.ts";
import { stateFolder } from "../../core/user-folders.ts";
import type { JobStatus } from "../engine.ts";

interface JobNote {
  readonly name: string;
  readonly context: string;
  readonly namespace: string;
  readonly submitted: string;
  readonly ending?: JobStatus;
  readonly end?: JobStatus;
}

/** The notes of this user, a file each. Without a note, a job is looked for in the chosen cluster. */
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
    const files = (await readdir(this.#folder).catch(() => [])).filter((file) => file.endsWith(".json"));
    const notes = await Promise.all(files.map((file) => this.read(basename(file, ".json"))));
    return notes.filter((note) => note !== undefined);
  }

  #path(name: string): string {
    return join(this.#folder, `${name}.json`);
  }
}
