import { randomUUID } from "node:crypto";
import { access, chmod, constants, mkdir, readdir, readFile, rename, rm, symlink } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { UserError } from "../../core/errors.ts";
import { replaceFile, syncFolder } from "../../core/files.ts";
import { heartbeat } from "../../core/heartbeat.ts";
import { type Lock, takeLock, waitForLock } from "../../core/lock.ts";
import { removeTree } from "../../git/tree.ts";
import type { ContentKind } from "../content.ts";

/**
 * Content for one pod or several at a time, in folders named by it. It is made elsewhere and renamed once, so that
 * readers find all of it or none.
 */
export class Volume {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** @throws UserError when it is not there, or may not be written to */
  static async open(folder: string): Promise<Volume> {
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK).catch((cause: NodeJS.ErrnoException) => {
      throw new UserError(
        { code: "file-unwritable", culprit: folder },
        `User ${process.getuid?.()} cannot write to the volume at ${folder} (${cause.code}).`,
        "Make it writable for that user or its group, or use another volume.",
        { cause },
      );
    });
    return new Volume(folder);
  }

  path(...parts: readonly string[]): string {
    return join(this.folder, ...parts);
  }

  /** Waits, and says so in `words`, while others do the same work in the volume. A lock ends with its holder. */
  async lock(name: string, words: string, say: (text: string) => void): Promise<Lock> {
    const path = this.path(`.${name}.lock`);
    const lock = takeLock(path);
    if (lock) return lock;
    const endHeartbeat = heartbeat(words, { write: say });
    return waitForLock(path).finally(endHeartbeat);
  }

  /** A new, empty folder for content that is being made. Removes unfinished drafts. Requires the lock of that name. */
  async draft(name: string): Promise<string> {
    const drafts = this.path("drafts", name);
    await rm(drafts, { recursive: true, force: true });
    const draft = join(drafts, randomUUID());
    await mkdir(draft, { recursive: true });
    return draft;
  }

  /** Moves a finished draft to its place, which must be free. Its files must be on the disk already. */
  async publish(draft: string, ...place: readonly string[]): Promise<void> {
    const target = this.path(...place);
    await mkdir(dirname(target), { recursive: true });
    await syncFolder(draft);
    await rename(draft, target);
    await syncFolder(dirname(target));
  }

  /** Removes published content, which may be gone already: in one step for readers. Requires the lock of that name. */
  async discard(name: string, folder: string): Promise<void> {
    const trash = this.path("drafts", `${name}-removed`);
    await removeTree(trash);
    await mkdir(trash, { recursive: true });
    const path = this.path(folder);
    try {
      // A folder can only be moved by someone who may write to it.
      await chmod(path, 0o755);
      await rename(path, join(trash, "content"));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
    await removeTree(trash);
  }

  async link(name: string, place: string): Promise<void> {
    const path = this.path(name);
    const draft = `${path}.${randomUUID()}`;
    await mkdir(dirname(path), { recursive: true });
    await symlink(relative(dirname(path), this.path(place)), draft);
    await rename(draft, path);
  }
}

/** Days for which unused content is kept: for old pods during an update, and for rollbacks. */
const days = 7;
export const keptFor = days * 24 * 60 * 60_000;

interface Use {
  readonly current: readonly string[];
  /** When it stopped using others, ISO 8601. */
  readonly former: Readonly<Record<string, string>>;
}

export class Uses {
  readonly #volume: Volume;
  readonly #kind: ContentKind;

  constructor(volume: Volume, kind: ContentKind) {
    this.#volume = volume;
    this.#kind = kind;
  }

  async note(service: string, folders: readonly string[]): Promise<void> {
    const { current, former } = await this.#read(`${service}.json`).catch(() => ({ current: [], former: {} }));
    const now = new Date().toISOString();
    const before = Object.entries({ ...former, ...Object.fromEntries(current.map((folder) => [folder, now])) });
    const isFormer = ([folder]: readonly [string, string]) => !folders.includes(folder);
    await this.#write(`${service}.json`, { current: folders, former: Object.fromEntries(before.filter(isFormer)) });
  }

  /** Leaves what no service has ever recorded. Prints failures: the service itself has its content. */
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
