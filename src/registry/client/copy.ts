import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { checkIndexDepth, checkReferrerCount, type ImageManifest, isIndex } from "../../oci/manifest.ts";
import { isNondistributable } from "../../oci/media-types.ts";
import { formatReference } from "../../oci/reference.ts";
import { findAttachedTags } from "./attached-tags.ts";
import type { RegistryClient } from "./client.ts";
import { type FetchedManifest, fetchManifest } from "./fetch-manifest.ts";
import { type BlobToPush, type ImageOutcome, type ImageToPush, type PushEvent, pushImages } from "./push.ts";
import { changeReferrersList } from "./referrers-list.ts";

export interface Place {
  readonly client: RegistryClient;
  readonly repository: string;
}

export interface CopyOptions {
  readonly from: Place;
  readonly to: Place;
  readonly fetched: FetchedManifest;
  readonly tags: readonly string[];
  readonly referrers: boolean;
  readonly onEvent?: (event: PushEvent) => void;
  readonly signal?: AbortSignal;
}

/** Mounts blobs within a registry, streams them between registries without the disk, and skips what exists. */
export function copyImage(options: CopyOptions): Promise<void> {
  return new Copy(options).run();
}

class Copy {
  readonly #options: CopyOptions;
  readonly #subjects: Digest[] = [];

  constructor(options: CopyOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { fetched } = this.#options;
    await this.#copy(fetched, this.#options.tags);
    if (!this.#options.referrers) return;
    const images = this.#subjects.length;
    // Referrers can have referrers, which join the list.
    for (const subject of this.#subjects) await this.#referrers(subject, images);
  }

  async #copy(fetched: FetchedManifest, tags: readonly string[], depth = 0): Promise<void> {
    const { manifest, descriptor } = fetched;
    checkIndexDepth(depth, `${this.#options.from.repository}@${descriptor.digest}`);
    this.#subjects.push(descriptor.digest);
    if (!isIndex(manifest)) return this.#push([this.#image(fetched, manifest, tags)], "tags");
    if (await this.#isThere(descriptor.digest, tags)) {
      this.#subjects.push(...manifest.manifests.map(({ digest }) => digest));
      this.#told(descriptor.digest, tags, "unchanged");
      return;
    }
    const digests = new Set(manifest.manifests.map((child) => child.digest));
    const children = await Promise.all([...digests].map((child) => this.#fetch(child)));
    const images: ImageToPush[] = [];
    for (const child of children) {
      if (isIndex(child.manifest)) await this.#copy(child, [], depth + 1);
      else {
        this.#subjects.push(child.descriptor.digest);
        images.push(this.#image(child, child.manifest, []));
      }
    }
    await this.#push(images, "digest");
    for (const name of tags.length > 0 ? tags : [descriptor.digest]) {
      await this.#put(name, fetched.bytes, descriptor.mediaType);
    }
    this.#told(descriptor.digest, tags, "pushed");
  }

  #told(digest: Digest, tags: readonly string[], outcome: ImageOutcome): void {
    this.#options.onEvent?.({ type: "image", image: { ...this.#options.to, tags, digest }, outcome });
  }

  async #isThere(digest: Digest, tags: readonly string[]): Promise<boolean> {
    const { to, signal } = this.#options;
    const names = tags.length > 0 ? tags : [digest];
    const found = await Promise.all(names.map((name) => to.client.headManifest(to.repository, name, { signal })));
    return found.every((each) => each?.digest === digest);
  }

  #image({ bytes, descriptor }: FetchedManifest, manifest: ImageManifest, tags: readonly string[]): ImageToPush {
    const { from, to } = this.#options;
    const isSameRegistry = from.client.registry === to.client.registry;
    const blob = (part: Descriptor): BlobToPush => ({
      descriptor: part,
      open: from.client.blobSource(from.repository, part),
      origin: { kind: "registry", host: from.client.registry },
      mountFrom: isSameRegistry ? from.repository : undefined,
    });
    // Registries do not store layers that may not be copied.
    const layers = manifest.layers.filter((layer) => !isNondistributable(layer.mediaType));
    return {
      ...to,
      tags,
      digest: descriptor.digest,
      read: async () => ({
        manifest: { bytes, mediaType: manifest.mediaType },
        blobs: [manifest.config, ...layers].map(blob),
      }),
    };
  }

  async #push(images: readonly ImageToPush[], check: "digest" | "tags"): Promise<void> {
    const { onEvent, signal } = this.#options;
    await pushImages(images, { check, onEvent, signal });
  }

  async #put(name: string, bytes: Uint8Array, mediaType: string): Promise<void> {
    const { to, signal } = this.#options;
    await to.client.putManifest(to.repository, name, bytes, mediaType, { signal });
  }

  async #referrers(subject: Digest, images: number): Promise<void> {
    const { from, to, signal } = this.#options;
    const attached = await findAttachedTags(from.client, from.repository, subject, { signal });
    for (const { tag } of attached) await this.#copy(await this.#fetch(tag), [tag]);
    const found = await from.client.referrers(from.repository, subject);
    const missing = new Set(found.map(({ digest }) => digest).filter((digest) => !this.#subjects.includes(digest)));
    const reference = { registry: from.client.registry, repository: from.repository, digest: subject };
    checkReferrerCount(this.#subjects.length - images + missing.size, formatReference(reference));
    if (found.length === 0) return;
    for (const digest of missing) await this.#copy(await this.#fetch(digest), []);
    const known = await to.client.referrers(to.repository, subject);
    const add = found.filter(({ digest }) => !known.some((each) => each.digest === digest));
    if (add.length > 0) await changeReferrersList(to.client, to.repository, subject, { add });
  }

  #fetch(name: Digest | string): Promise<FetchedManifest> {
    const { from, signal } = this.#options;
    return fetchManifest(from.client, from.repository, name, { signal });
  }
}
