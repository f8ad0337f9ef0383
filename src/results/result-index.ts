import { type ResultScope, scopeKey } from "./key.ts";
import type { KeptResult } from "./pack.ts";
import { inParallel, type ResultPlace, readRun, resultsOfPack } from "./read.ts";
import { type StoredPack, scopeOfTag } from "./run.ts";

/** Bytes. Results beyond are read again when somebody wants them. */
const memory = 64 * 1024 * 1024;

interface Part {
  readonly pack: StoredPack;
  readonly tag: string;
}

/**
 * Of one function and version. The first question reads everything, later ones miss what others store meanwhile. Skips
 * damaged and foreign content, with a notice.
 */
export class ResultIndex {
  readonly #place: ResultPlace;
  readonly #scope: ResultScope;
  readonly #known = new Map<string, string | Part>();
  #size = 0;
  #unread: Promise<Part[]> | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(place: ResultPlace, scope: ResultScope) {
    this.#place = place;
    this.#scope = scope;
  }

  find(keys: Iterable<string>): Promise<Map<string, string>> {
    const wanted = new Set(keys);
    const found = this.#turn.then(() => this.#find(wanted));
    this.#turn = found.catch(() => {});
    return found;
  }

  add({ key, result }: KeptResult): void {
    if (this.#keep(result)) this.#known.set(key, result);
  }

  async #find(wanted: ReadonlySet<string>): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    if (wanted.size === 0) return found;
    const forgotten = new Set<Part>();
    for (const key of wanted) {
      const known = this.#known.get(key);
      if (typeof known === "string") found.set(key, known);
      else if (known !== undefined) forgotten.add(known);
    }
    const read = async (part: Part) => {
      const results = await resultsOfPack(this.#place, this.#scope, part.tag, part.pack);
      for (const { key, result } of results) if (wanted.has(key)) found.set(key, result);
      return results;
    };
    await inParallel([...forgotten], read);
    this.#unread ??= this.#list();
    const unread = await this.#unread;
    while (found.size < wanted.size && unread.length > 0) {
      await inParallel(unread.splice(0, 6), async (part) => {
        for (const { key, result } of await read(part)) this.#known.set(key, this.#keep(result) ? result : part);
      });
    }
    return found;
  }

  #keep(result: string): boolean {
    const isKept = this.#size + result.length <= memory;
    if (isKept) this.#size += result.length;
    return isKept;
  }

  async #list(): Promise<Part[]> {
    const { client, repository } = this.#place;
    const mine = scopeKey(this.#scope);
    const tags = (await client.listTags(repository)).filter((tag) => scopeOfTag(tag) === mine);
    const runs = await inParallel(tags, (tag) => readRun(this.#place, tag));
    // Runs that went on from the same results may share packs.
    const parts = new Map<string, Part>();
    for (const [index, run] of runs.entries()) {
      for (const pack of run?.packs ?? []) parts.set(pack.descriptor.digest, { pack, tag: tags[index] as string });
    }
    return [...parts.values()];
  }
}
