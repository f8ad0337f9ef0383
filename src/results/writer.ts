import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { messageOf } from "../core/errors.ts";
import { emptyContent, emptyDescriptor } from "../oci/artifact.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { sha256 } from "../oci/digest.ts";
import { mediaTypes } from "../oci/media-types.ts";
import type { ResultScope } from "./key.ts";
import { encodePack, type KeptResult } from "./pack.ts";
import type { ResultPlace } from "./read.ts";
import { composeRun, packType, type StoredPack, tagOfRun } from "./run.ts";

/** So many results are stored at once. */
const flushItems = 100;
/** Bytes after which results do not wait any longer, and packs are not merged. */
const packBytes = 4 * 1024 * 1024;
/** Milliseconds that a result waits at most. */
const flushAfter = 2000;
/** Bytes that may wait for a registry that fails. */
const waitingBytes = 64 * 1024 * 1024;

interface OwnPack extends StoredPack {
  readonly results: readonly KeptResult[];
}

/** Stores results in background groups; a killed run loses two seconds of them. Merges packs of similar size. */
export class ResultWriter {
  readonly #place: ResultPlace;
  readonly #scope: ResultScope;
  readonly #now: () => Date;
  readonly #tag: string;
  #packs: OwnPack[] = [];
  #waiting: KeptResult[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> | undefined;
  #hasConfig = false;
  #failed = false;

  constructor(place: ResultPlace, scope: ResultScope, now: () => Date = () => new Date()) {
    this.#place = place;
    this.#scope = scope;
    this.#now = now;
    this.#tag = tagOfRun(scope, randomBytes(8).toString("hex"));
  }

  add(result: KeptResult): void {
    if (this.#bytes > waitingBytes) return;
    this.#waiting.push(result);
    this.#bytes += sizeOf(result);
    if (this.#waiting.length >= flushItems || this.#bytes >= packBytes) void this.#flush();
    else this.#wait();
  }

  /** Never fails: results that cannot be stored are a notice, once. */
  async end(): Promise<void> {
    await this.#flushing;
    await this.#flush();
    clearTimeout(this.#timer);
  }

  #wait(): void {
    this.#timer ??= setTimeout(() => void this.#flush(), flushAfter).unref();
  }

  /** One at a time: what comes meanwhile waits for the next. */
  #flush(): Promise<void> {
    this.#flushing ??= this.#storeWaiting().finally(() => {
      this.#flushing = undefined;
    });
    return this.#flushing;
  }

  async #storeWaiting(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const results = this.#waiting;
    if (results.length === 0) return;
    this.#waiting = [];
    this.#bytes = 0;
    try {
      await this.#store(results);
    } catch (error) {
      this.#waiting = [...results, ...this.#waiting];
      this.#bytes = this.#waiting.reduce((sum, each) => sum + sizeOf(each), 0);
      const { client, repository } = this.#place;
      const problem = `Results cannot be kept in ${client.registry}/${repository}, and will run again: ${messageOf(error)}`;
      if (!this.#failed) this.#place.onNotice(problem);
      this.#failed = true;
    }
    if (this.#waiting.length > 0) this.#wait();
  }

  async #store(results: readonly KeptResult[]): Promise<void> {
    const { client, repository } = this.#place;
    if (!this.#hasConfig) await this.#push(emptyDescriptor, emptyContent);
    this.#hasConfig = true;
    const packs = [...this.#packs];
    for (const group of groupsOf(results)) {
      let merged = group;
      for (let last = packs.at(-1); last && isMerged(last, merged); last = packs.at(-1)) {
        merged = [...last.results, ...merged];
        packs.pop();
      }
      const content = encodePack(this.#scope, merged);
      const descriptor = { mediaType: packType, digest: sha256(content), size: content.length };
      await this.#push(descriptor, content);
      packs.push({ descriptor, items: merged.length, results: content.length < packBytes ? merged : [] });
    }
    const manifest = composeRun(this.#tag, { scope: this.#scope, packs, stored: this.#now() });
    await client.putManifest(repository, this.#tag, manifest, mediaTypes.manifest);
    this.#packs = packs;
  }

  async #push(descriptor: Descriptor, content: Buffer): Promise<void> {
    const { client, repository } = this.#place;
    const open = (start: number, end: number) => Readable.from([content.subarray(start, end)], { objectMode: false });
    await client.pushBlob({ repository, descriptor, open });
  }
}

/** Each result is sent again at most as often as its pack doubles. */
function isMerged({ items, descriptor }: OwnPack, next: readonly KeptResult[]): boolean {
  const bytes = next.reduce((sum, each) => sum + sizeOf(each), descriptor.size);
  return items <= next.length * 2 && bytes < packBytes;
}

/** Each at most one pack. A larger result is alone. */
function groupsOf(results: readonly KeptResult[]): KeptResult[][] {
  const groups: KeptResult[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const result of results) {
    bytes += sizeOf(result);
    if (bytes > packBytes) {
      groups.push([]);
      bytes = sizeOf(result);
    }
    groups.at(-1)?.push(result);
  }
  return groups;
}

function sizeOf({ key, result }: KeptResult): number {
  return key.length + Buffer.byteLength(result) + 2;
}
