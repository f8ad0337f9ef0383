import { mkdir, readdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { replaceFile } from "../../core/files.ts";
import type { ContentKind } from "../content.ts";
import type { Volume } from "./volume.ts";

/**
 * Days for which content is kept that no service names any more: pods of before an update see it for as long as the update takes, and whoever
 * rolls back wants it again.
 */
const days = 7;
export const keptFor = days * 24 * 60 * 60_000;

/** The folders of a volume that one service names. */
interface Use {
  readonly current: readonly string[];
  /** Those that it named before, with the time when it did no more: ISO 8601. */
  readonly former: Readonly<Record<string, string>>;
}

/** What services name of one kind of content in a volume. To be used by who has the kind's lock. */
export class Uses {
  readonly #volume: Volume;
  readonly #kind: ContentKind;

  constructor(volume: Volume, kind: ContentKind) {
    this.#volume = volume;
    this.#kind = kind;
  }

  /** Notes the folders that a service names from now on. */
  async note(service: string, folders: readonly string[]): Promise<void> {
    const { current, former } = await this.#read(`${service}.json`).catch(() => ({ current: [], former: {} }));
    const now = new Date().toISOString();
    const before = Object.entries({ ...former, ...Object.fromEntries(current.map((folder) => [folder, now])) });
    const isFormer = ([folder]: readonly [string, string]) => !folders.includes(folder);
    await this.#write(`${service}.json`, { current: folders, former: Object.fromEntries(before.filter(isFormer)) });
  }

  /**
   * Removes what services named once, and none has named for long enough. Content that no service has ever noted is somebody else's. It is no
   * error where that fails: the service has its content.
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
