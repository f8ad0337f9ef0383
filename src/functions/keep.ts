import type { Environment } from "../core/environment.ts";
import { messageOf } from "../core/errors.ts";
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
import { formsIn, mark } from "./file-form.ts";
import type { Bodies } from "./frames.ts";

interface Kept {
  readonly place: ResultPlace;
  readonly scope: ResultScope;
  readonly index: ResultIndex;
  readonly writer: ResultWriter;
}

/** Calls whose results are kept. */
export interface KeptFunction {
  readonly name: string;
  readonly image: string;
  readonly version?: string | undefined;
  /** The pipeline, for a version that the user has named. */
  readonly program?: string | undefined;
}

/** Kept results of one function, in one version. */
export interface KeptResults {
  /** The results of calls, by their arguments; undefined for those that have to run. */
  readonly find: (inputs: readonly Bodies[]) => Promise<readonly (readonly Buffer[] | undefined)[]>;
  readonly add: (input: Bodies, result: Bodies) => void;
  /** Stores what was added. Never fails. */
  readonly end: () => Promise<void>;
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

  /** Undefined: nothing can be kept, and a notice has said so once. */
  async open(known: KeptFunction, notice: (text: string) => void): Promise<KeptResults | undefined> {
    this.#notice = (text) => notice(`${known.name}: ${text}`);
    try {
      // Anyone who may push to the repository could have written them.
      if (!this.#failed && (await isRestricted(known.image, this.#env))) {
        this.#notice("Results are not kept, because `require` in the configuration file is for this image.");
        this.#failed = true;
      }
      return this.#failed ? undefined : this.#results(await this.#of(known));
    } catch (error) {
      return this.#refused(error);
    }
  }

  #refused(error: unknown): undefined {
    if (!this.#failed) this.#notice(`Kept results cannot be used, and all calls run: ${messageOf(error)}`);
    this.#failed = true;
  }

  #results({ scope, place, index, writer }: Kept): KeptResults {
    const keyOf = (input: Bodies) => resultKey(scope, textOf(input));
    return {
      find: async (inputs) => {
        try {
          const keys = inputs.map(keyOf);
          const found = this.#failed ? new Map<string, string>() : await withContent(place, await index.find(keys));
          return keys.map((key) => bodiesOf(found.get(key)));
        } catch (error) {
          this.#refused(error);
          return inputs.map(() => undefined);
        }
      },
      add: (input, result) => {
        if (this.#failed) return;
        const kept = { key: keyOf(input), result: textOf(result) };
        index.add(kept);
        writer.add(kept);
      },
      end: () => writer.end(),
    };
  }

  async settle(): Promise<void> {
    await Promise.all([...this.#kept.values()].map(({ writer }) => writer.end()));
  }

  async end(): Promise<void> {
    await this.settle();
    for (const client of this.#clients.values()) void client.then((open) => open.close()).catch(() => {});
  }

  async #of({ image, name, version: named, program }: KeptFunction): Promise<Kept> {
    const { registry, repository } = parseReference(image);
    const client = await once(this.#clients, registry, () => openByName(registry, this.#env));
    const place: ResultPlace = { client, repository, onNotice: (text) => this.#notice(text) };
    // A name and a digest are never equal.
    const version =
      named === undefined
        ? await once(this.#versions, image, () => layersOf(place, image))
        : `named ${named} of ${program ?? repository}`;
    const scope: ResultScope = { function: name, version };
    return once(this.#kept, JSON.stringify([registry, repository, name, version]), () => ({
      place,
      scope,
      index: new ResultIndex(place, scope),
      writer: new ResultWriter(place, scope),
    }));
  }
}

/** A value in one text: its JSON, or with its attachments. Empty: there is none. */
function textOf([json, ...attachments]: Bodies): string {
  if (json === undefined) return "";
  const text = Buffer.from(json).toString();
  if (attachments.length === 0) return text;
  return JSON.stringify({
    [mark]: "bodies",
    json: text,
    attachments: attachments.map((each) => Buffer.from(each).toString("base64")),
  });
}

function bodiesOf(text: string | undefined): readonly Buffer[] | undefined {
  if (text === undefined || text === "") return text === undefined ? undefined : [];
  if (text.startsWith(`{"${mark}":"bodies"`)) {
    const { json, attachments } = JSON.parse(text) as {
      readonly json: string;
      readonly attachments: readonly string[];
    };
    return [Buffer.from(json), ...attachments.map((each) => Buffer.from(each, "base64"))];
  }
  return [Buffer.from(text)];
}

function once<Value>(values: Map<string, Value>, key: string, make: () => Value): Value {
  const value = values.get(key) ?? make();
  values.set(key, value);
  return value;
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
