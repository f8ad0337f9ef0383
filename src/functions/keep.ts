import type { Environment } from "../core/environment.ts";
import { messageOf } from "../core/errors.ts";
import { parseExactly } from "../core/exact-json.ts";
import { type Digest, sha256 } from "../oci/digest.ts";
import { isIndex, parseManifest } from "../oci/manifest.ts";
import { parseReference } from "../oci/reference.ts";
import type { RegistryClient } from "../registry/client/client.ts";
import { openByName } from "../registry/open-by-name.ts";
import { type ResultScope, resultKey } from "../results/key.ts";
import { inParallel, type ResultPlace } from "../results/read.ts";
import { ResultIndex } from "../results/result-index.ts";
import { ResultWriter } from "../results/writer.ts";
import { isRestricted } from "../signatures/runnable-image.ts";
import { type CallBatch, type CallEngine, type CallListener, partOf, tell } from "./calls.ts";
import { formsIn } from "./file-form.ts";

interface Kept {
  readonly place: ResultPlace;
  readonly scope: ResultScope;
  readonly index: ResultIndex;
  readonly writer: ResultWriter;
}

/** Keeps results in the repository of the image. If the registry fails, all calls run, and one notice says so. */
export class KeptCalls {
  readonly #env: Environment;
  readonly #clients = new Map<string, Promise<RegistryClient>>();
  readonly #versions = new Map<string, Promise<string>>();
  readonly #kept = new Map<string, Kept>();
  #failed = false;
  #notice: (text: string) => void = () => {};

  constructor(env: Environment) {
    this.#env = env;
  }

  /** With `keep`, only calls without a kept result run. Failures are not kept. */
  async run(engine: CallEngine, batch: CallBatch, listener: CallListener): Promise<void> {
    if (!batch.keep) return engine.run(batch, listener);
    this.#notice = (text) => tell(listener, `${batch.name}: ${text}`);
    let kept: Kept | undefined;
    let keys: string[] = [];
    let found = new Map<string, string>();
    // Anyone who may push to the repository could have written them.
    if (await isRestricted(batch.image ?? "", this.#env)) {
      if (!this.#failed)
        this.#notice("Results are not kept, because `require` in the configuration file is for this image.");
      this.#failed = true;
    }
    try {
      if (!this.#failed) {
        const now = await this.#of(batch);
        keys = batch.inputs.map((input) => resultKey(now.scope, input));
        found = await withContent(now.place, await now.index.find(keys));
        kept = now;
      }
    } catch (error) {
      this.#failed = true;
      this.#notice(`Kept results cannot be used, and all calls run: ${messageOf(error)}`);
    }
    if (kept === undefined) return engine.run(batch, listener);
    try {
      await runMissing(engine, batch, listener, { ...kept, keys, found });
    } finally {
      // A single call does not wait for the registry.
      if (batch.inputs.length > 1) await kept.writer.end();
    }
  }

  async settle(): Promise<void> {
    await Promise.all([...this.#kept.values()].map(({ writer }) => writer.end()));
  }

  async end(): Promise<void> {
    await this.settle();
    for (const client of this.#clients.values()) void client.then((open) => open.close()).catch(() => {});
  }

  async #of({ image = "", name, keep }: CallBatch): Promise<Kept> {
    const { registry, repository } = parseReference(image);
    const client = await once(this.#clients, registry, () => openByName(registry, this.#env));
    const place: ResultPlace = { client, repository, onNotice: (text) => this.#notice(text) };
    // A name and a digest are never equal.
    const version =
      keep?.version === undefined
        ? await once(this.#versions, image, () => layersOf(place, image))
        : `named ${keep.version} of ${keep.program ?? repository}`;
    const scope: ResultScope = { function: name, version };
    return once(this.#kept, JSON.stringify([registry, repository, name, version]), () => ({
      place,
      scope,
      index: new ResultIndex(place, scope),
      writer: new ResultWriter(place, scope),
    }));
  }
}

function once<Value>(values: Map<string, Value>, key: string, make: () => Value): Value {
  const value = values.get(key) ?? make();
  values.set(key, value);
  return value;
}

async function runMissing(
  engine: CallEngine,
  batch: CallBatch,
  listener: CallListener,
  {
    keys,
    found,
    index: known,
    writer,
  }: Kept & { readonly keys: readonly string[]; readonly found: ReadonlyMap<string, string> },
): Promise<void> {
  const missing: number[] = [];
  for (const [index, key] of keys.entries()) {
    const result = found.get(key);
    if (result === undefined) missing.push(index);
    else listener.onOutcome(index, { reply: result === "" ? {} : { result: parseExactly(result) }, kept: true });
  }
  if (missing.length === 0) return;
  if (missing.length < keys.length) {
    const counts = `${keys.length - missing.length} of ${keys.length} results are kept; ${missing.length} run`;
    tell(listener, `${batch.name}: ${counts}`);
  }
  const keep: CallListener["onOutcome"] = (index, outcome) => {
    if ("reply" in outcome && !("error" in outcome.reply)) {
      const { result } = outcome.reply;
      const kept = { key: keys[index] ?? "", result: result === undefined ? "" : JSON.stringify(result) };
      known.add(kept);
      writer.add(kept);
    }
    listener.onOutcome(index, outcome);
  };
  const part = partOf(batch, { ...listener, onOutcome: keep }, missing);
  await engine.run(part.batch, part.listener);
}

/** Drops results whose files are gone, so that their calls run again. One request for each file. */
async function withContent(
  { client, repository }: ResultPlace,
  found: Map<string, string>,
): Promise<Map<string, string>> {
  const named = [...found].flatMap(([key, result]) => formsIn(result).map(({ digest }) => ({ key, digest })));
  const isThere = new Map<Digest, Promise<boolean>>();
  await inParallel(named, async ({ key, digest }) => {
    const known = isThere.get(digest) ?? client.headBlob(repository, digest).then((size) => size !== undefined);
    isThere.set(digest, known);
    if (!(await known)) found.delete(key);
  });
  return found;
}

/** The default version: labels such as a commit change no result. One request. */
async function layersOf({ client, repository }: ResultPlace, image: string): Promise<string> {
  const { digest = "" } = parseReference(image);
  const stored = await client.getManifest(repository, digest);
  const manifest = stored && parseManifest(stored.bytes);
  if (!manifest || isIndex(manifest)) return digest;
  return sha256(manifest.layers.map((layer) => layer.digest).join("\n"));
}
