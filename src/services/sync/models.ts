import { lstat, mkdir, readdir, readFile, rename, rm, statfs, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { formatBytes } from "../../config/quantity.ts";
import { UserError } from "../../core/errors.ts";
import { heartbeat, patience } from "../../core/heartbeat.ts";
import { fetchModel } from "../../models/fetch.ts";
import type { Model, Pack, StoredFile } from "../../models/model.ts";
import { parseModel, parseModelManifest } from "../../models/parse.ts";
import { resolveModel } from "../../models/registry.ts";
import { type Digest, sha256, splitDigest } from "../../oci/digest.ts";
import { formatReference, parseReference, type Reference } from "../../oci/reference.ts";
import type { RegistryClient } from "../../registry/client/client.ts";
import { plural } from "../../registry/client/progress-lines.ts";
import { modelFolder, secretsFolder } from "../content.ts";
import { ContentStore } from "./content-store.ts";
import { registriesFile, registriesOf } from "./registries.ts";
import { Uses, Volume } from "./volume.ts";

/**
 * `models --volume=FOLDER --model=HOST/REPOSITORY@sha256:… …` fetches missing and damaged files. Without a digest it
 * takes the newest version and links to it. `--service=NAME` removes versions that this service used, once no service
 * has used them for a week.
 */
export async function syncModels(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      volume: { type: "string", default: "" },
      model: { type: "string", multiple: true, default: [] },
      service: { type: "string" },
    },
  });
  const { volume: folder, model: models, service } = values;
  const volume = await Volume.open(folder);
  const say = (text: string) => void process.stderr.write(`${text}\n`);
  const open = await registriesOf(join(secretsFolder("models"), registriesFile));
  const lock = await volume.lock("models", "Waiting for another pod that brings models into this volume", say);
  const clients = new Map<string, RegistryClient>();
  const folders: string[] = [];
  try {
    for (const text of models) {
      const { tag: _tag, ...named } = parseReference(text);
      const client = clients.get(named.registry) ?? open(named.registry);
      clients.set(named.registry, client);
      const { registry, repository } = named;
      const place = { client, repository, id: repository };
      const reference = { registry, repository, digest: named.digest ?? (await resolveModel(place)) };
      await new ModelSync(volume, client, reference, say).run();
      if (named.digest === undefined) await volume.link(modelFolder(named), modelFolder(reference));
      folders.push(modelFolder(reference));
    }
    if (service !== undefined) {
      const uses = new Uses(volume, "models");
      await uses.note(service, folders);
      await uses.prune((unused) => removeModel(volume, unused), say);
    }
  } finally {
    for (const client of clients.values()) client.close();
    lock.release();
  }
}

const parallel = 4;

/** Fetches one version of a model into a volume. Requires the lock for models. */
export class ModelSync {
  readonly #volume: Volume;
  readonly #client: RegistryClient;
  readonly #reference: Reference & { readonly digest: Digest };
  readonly #say: (text: string) => void;
  readonly #store: ContentStore;
  readonly #name: string;
  #bytes = 0;
  #blobs = 0;
  /** For the heartbeat. */
  #doing = () => `${this.#name}: reading its manifest`;

  constructor(
    volume: Volume,
    client: RegistryClient,
    reference: Reference & { readonly digest: Digest },
    say: (text: string) => void,
  ) {
    this.#volume = volume;
    this.#client = client;
    this.#reference = reference;
    this.#say = say;
    this.#store = new ContentStore(volume);
    this.#name = formatReference(reference);
  }

  async run(): Promise<void> {
    const endHeartbeat = heartbeat(() => this.#doing(), { after: patience, write: this.#say });
    await this.#run()
      .finally(endHeartbeat)
      .catch((cause: NodeJS.ErrnoException) => {
        if (cause.code !== "ENOSPC" && cause.code !== "EDQUOT") throw cause;
        throw this.#full(
          `The volume became full (${cause.code}) while ${this.#name} was fetched.`,
          " Slipway keeps the part that was fetched.",
          cause,
        );
      });
  }

  #full(problem: string, note = "", cause?: unknown): UserError {
    return new UserError(
      { code: "file-unwritable", culprit: this.#volume.folder },
      problem,
      `Use a larger volume, or remove unused models from it.${note}`,
      { cause },
    );
  }

  async #run(): Promise<void> {
    const model = (await this.#kept()) ?? (await this.#fetched());
    const folder = this.#volume.path(modelFolder(this.#reference));
    const isThere = (await lstat(folder).catch(() => undefined))?.isDirectory() ?? false;
    const wrong = isThere ? await this.#wrong(folder, model) : model.files;
    await this.#bring(wrong);
    if (!isThere) await this.#make(model);
    else await this.#mend(folder, wrong);
    const count = model.files.length;
    const came =
      this.#blobs === 0 ? "nothing fetched" : `${formatBytes(this.#bytes)} fetched in ${plural(this.#blobs, "blob")}`;
    const mended = isThere && wrong.length > 0 ? `, ${wrong.length} mended` : "";
    this.#say(`${this.#name}: ${plural(count, "file")}, ${formatBytes(model.size)}; ${came}${mended}`);
  }

  /** Undefined: no earlier run stored its documents. */
  async #kept(): Promise<Model | undefined> {
    const [manifest, config] = await Promise.all(
      ["manifest", "config"].map((part) => readFile(this.#document(part)).catch(() => undefined)),
    );
    if (!manifest || !config || sha256(manifest) !== this.#reference.digest) return undefined;
    const parsed = parseModelManifest(manifest, this.#name);
    return sha256(config) === parsed.config.digest ? parseModel(parsed, config, this.#name) : undefined;
  }

  async #fetched(): Promise<Model> {
    const { repository, digest, registry } = this.#reference;
    const fetched = await fetchModel(this.#client, repository, digest);
    if (!fetched) {
      throw new UserError(
        { code: "model-not-found", culprit: this.#name },
        `Registry ${registry} no longer has model ${repository}@${digest}.`,
        "Push the model again, then apply the service again.",
      );
    }
    await mkdir(dirname(this.#document("manifest")), { recursive: true });
    await this.#write("config", fetched.config);
    await this.#write("manifest", fetched.manifest);
    return fetched.model;
  }

  #document(part: string): string {
    return this.#volume.path("manifests", "sha256", `${splitDigest(this.#reference.digest).hex}.${part}`);
  }

  async #write(part: string, bytes: Uint8Array): Promise<void> {
    const draft = `${this.#document(part)}.draft`;
    await writeFile(draft, bytes);
    await rename(draft, this.#document(part));
  }

  /** The missing and damaged files of a folder. Removes files that do not belong there. */
  async #wrong(folder: string, model: Model): Promise<readonly StoredFile[]> {
    await this.#tidy(folder, model);
    const wrong: StoredFile[] = [];
    for (const [index, file] of model.files.entries()) {
      this.#doing = () => `${this.#name}: checking file ${index + 1} of ${model.files.length}`;
      if ((await this.#store.check(join(folder, file.path), file)) !== "right") wrong.push(file);
    }
    return wrong;
  }

  async #tidy(folder: string, { files }: Model): Promise<void> {
    const known = new Set(files.map(({ path }) => path));
    const folders = new Set(files.flatMap(({ path }) => foldersOf(path)));
    const visit = async (inside: string): Promise<void> => {
      for (const entry of await readdir(join(folder, inside), { withFileTypes: true })) {
        const path = inside === "" ? entry.name : `${inside}/${entry.name}`;
        if (folders.has(path) && entry.isDirectory()) await visit(path);
        else if (!known.has(path)) await rm(join(folder, path), { recursive: true, force: true });
      }
    };
    await visit("");
  }

  async #bring(files: readonly StoredFile[]): Promise<void> {
    const missing: StoredFile[] = [];
    const seen = new Set<string>();
    for (const [index, file] of files.entries()) {
      this.#doing = () => `${this.#name}: looking for file ${index + 1} of ${files.length}`;
      const key = `${file.digest} ${file.isExecutable}`;
      if (seen.has(key)) continue;
      seen.add(key);
      if (!(await this.#store.has(file))) missing.push(file);
    }
    if (missing.length === 0) return;
    await this.#checkRoom(missing);
    const packs = Map.groupBy(
      missing.filter(({ pack }) => pack !== undefined),
      ({ pack }) => pack as Pack,
    );
    const jobs = [
      ...missing.filter(({ pack }) => pack === undefined).map((file) => () => this.#fetchFile(file)),
      ...[...packs].map(
        ([pack, inside]) =>
          () =>
            this.#fetchPack(pack, inside),
      ),
    ];
    const size = await this.#toFetch(missing, packs.keys());
    this.#doing = () => `${this.#name}: ${formatBytes(this.#bytes)} of ${formatBytes(size)} fetched`;
    this.#say(`${this.#name}: fetching ${plural(jobs.length, "blob")}`);
    await together(jobs);
  }

  async #toFetch(missing: readonly StoredFile[], packs: Iterable<Pack>): Promise<number> {
    let size = 0;
    for (const pack of packs) size += pack.size;
    for (const file of missing) if (file.pack === undefined) size += file.size - (await this.#store.kept(file));
    return size;
  }

  async #checkRoom(missing: readonly StoredFile[]): Promise<void> {
    const { bavail, bsize } = await statfs(this.#volume.folder);
    let needed = 0;
    for (const file of missing) needed += file.size - (await this.#store.kept(file));
    if (needed <= bavail * bsize) return;
    throw this.#full(
      `The volume has room for ${formatBytes(bavail * bsize)}, but ${this.#name} needs ${formatBytes(needed)} more.`,
    );
  }

  async #fetchFile(file: StoredFile): Promise<void> {
    const open = this.#client.blobSource(this.#reference.repository, file);
    await this.#store.fetch(
      file,
      (start) => open(start, file.size),
      (count) => {
        this.#bytes += count;
      },
    );
    this.#blobs += 1;
  }

  async #fetchPack(pack: Pack, files: readonly StoredFile[]): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of this.#client.getBlob(this.#reference.repository, pack)) {
      parts.push(part as Buffer);
      this.#bytes += (part as Buffer).length;
    }
    const bytes = Buffer.concat(parts);
    this.#blobs += 1;
    for (const file of files) {
      const content = bytes.subarray(file.offset, file.offset + file.size);
      if (sha256(content) !== file.digest) {
        throw new UserError(
          { code: "image-invalid", culprit: this.#name },
          `${this.#name}: the content of ${JSON.stringify(file.path)} does not match its digest.`,
          "Push the model again with `slipway model push`. If somebody else made it, do not use it.",
        );
      }
      await this.#store.write(file, content);
    }
  }

  async #make({ files }: Model): Promise<void> {
    const draft = await this.#volume.draft("models");
    for (const folder of new Set(files.flatMap(({ path }) => foldersOf(path)))) await mkdir(join(draft, folder));
    for (const file of files) await this.#store.place(file, join(draft, file.path));
    await this.#volume.publish(draft, modelFolder(this.#reference));
  }

  async #mend(folder: string, files: readonly StoredFile[]): Promise<void> {
    if (files.length === 0) return;
    const draft = await this.#volume.draft("models");
    for (const [index, file] of files.entries()) {
      const path = join(folder, file.path);
      const found = await lstat(path).catch(() => undefined);
      if (found?.isDirectory()) await rm(path, { recursive: true });
      await mkdir(dirname(path), { recursive: true });
      await this.#store.place(file, join(draft, String(index)));
      await rename(join(draft, String(index)), path);
    }
  }
}

/** Removes a version of a model with the files that no other version has. Requires the lock for models. */
export async function removeModel(volume: Volume, folder: string): Promise<void> {
  await volume.discard("models", folder);
  for (const part of ["manifest", "config"]) {
    await rm(volume.path("manifests", "sha256", `${basename(folder)}.${part}`), { force: true });
  }
  await new ContentStore(volume).prune();
}

/** The outermost first. */
function foldersOf(path: string): string[] {
  const names = path.split("/");
  return names.slice(1).map((_, index) => names.slice(0, index + 1).join("/"));
}

/** Runs some jobs at a time. After a failure it starts no more, and waits for those that run. */
async function together(jobs: readonly (() => Promise<void>)[]): Promise<void> {
  const waiting = [...jobs];
  const run = async () => {
    for (let job = waiting.shift(); job; job = waiting.shift()) {
      await job().catch((error) => {
        waiting.length = 0;
        throw error;
      });
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: parallel }, run));
  const failed = ended.find(({ status }) => status === "rejected");
  if (failed) throw (failed as PromiseRejectedResult).reason;
}
