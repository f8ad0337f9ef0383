import { mkdir, readdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { replaceFile } from "../../core/files.ts";
import type { ContentKind } from "../content.ts";
import type { Volume } from "./volume.ts";

/** Days for which unused content is kept: for old pods during an update, and for rollbacks. */
const days = 7;
export const keptFor = days * 24 * 60 * 60_000;

/** The folders that one service uses. */
interface Use {
  readonly current: readonly string[];
  /** When it stopped using others, ISO 8601. */
  readonly former: Readonly<Record<string, string>>;
}

/** Which services use which content of one kind. Requires the kind's lock. */
export class Uses {
  readonly #volume: Volume;
  readonly #kind: ContentKind;

  constructor(volume: Volume, kind: ContentKind) {
    this.#volume = volume;
    this.#kind = kind;
  }

  /** Records the folders that a service uses now. */
  async note(service: string, folders: readonly string[]): Promise<void> {
    const { current, former } = await this.#read(`${service}.json`).catch(() => ({ current: [], former: {} }));
    const now = new Date().toISOString();
    const before = Object.entries({ ...former, ...Object.fromEntries(current.map((folder) => [folder, now])) });
    const isFormer = ([folder]: readonly [string, string]) => !folders.includes(folder);
    await this.#write(`${service}.json`, { current: folders, former: Object.fromEntries(before.filter(isFormer)) });
  }

  /**
   * Removes content that no service has used for long enough. Leaves content that no service has ever
   * recorded. Prints failures: the service itself has its content.
   */
  async prune(remove: (folder: string) => Promise<void>, say: (text: string) => void): Promise<void> {
    try {
      const names = (await readdir(this.#path())).filter((name) => name.endsWith(".json"));
      const uses = new Map(await Promise.all(names.map(async (name) => [name, await this.#read(name)] as const)));
      const current = new Set([...uses.values()].flatMap((use) => use.current));
      const latest = new Map<string, number>();
      for (const [folder, time] of [...uses.values()].flatMap(({ former }) => Object.entries(former))) {
        latest.set(folder, Math.max(latest.get(folder) ?? 0, Date.parse(time)));
      }
      const isUnused = (folder: string) =>
        !current.has(folder) && (latest.get(folder) ?? Number.NaN) < Date.now() - keptFor;
      for (const folder of [...latest.keys()].filter(isUnused)) {
        await remove(folder);
        say(`${folder}: removed, because no service has named it for ${days} days`);
      }
      for (const [name, use] of uses) {
        const former = Object.entries(use.former).filter(([folder]) => !isUnused(folder));
        if (former.length === Object.keys(use.former).length) continue;
        await this.#write(name, { ...use, former: Object.fromEntries(former) });
      }
    } catch (error) {
      say(`Old ${this.#kind} were not removed: ${error instanceof Error ? error.message : error}`);
    }
  }

  async #read(name: string): Promise<Use> {
    return JSON.parse(await readFile(this.#path(name), "utf8")) as Use;
  }

  async #write(name: string, use: Use): Promise<void> {
    const path = this.#path(name);
    await mkdir(dirname(path), { recursive: true });
    await replaceFile(path, JSON.stringify(use));
  }

  #path(...name: readonly string[]): string {
    return this.#volume.path("services", this.#kind, ...name);
  }
}
