import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import type { OpenBlob, RegistryClient } from "./client.ts";
import type { PushedBlobs } from "./pushed-blobs.ts";

/** A blob of an image and the source of its content. */
export interface BlobToPush {
  readonly descriptor: Pick<Descriptor, "digest" | "size">;
  readonly open: OpenBlob;
  /** A repository of the target registry that probably holds the blob. */
  readonly mountFrom?: string | undefined;
  /** The registry that the content streams from. Undefined: it is on this machine. */
  readonly streamedFrom?: string | undefined;
}

/** Everything that makes up an image. */
export interface ImageContent {
  readonly manifest: { readonly bytes: Uint8Array; readonly mediaType: string };
  /** Of an index: the manifests that it names. */
  readonly children?: readonly (ImageContent["manifest"] & { readonly digest: Digest })[];
  /** Configuration and layers; of an index, those of all its images. */
  readonly blobs: readonly BlobToPush[];
}

/** The destination of an image: repository, tags and digest. */
export interface NamedImage {
  readonly client: RegistryClient;
  readonly repository: string;
  readonly tags: readonly string[];
  /** Of the manifest. */
  readonly digest: Digest;
}

/** An image to push. */
export interface ImageToPush extends NamedImage {
  /** Whether the registry has just said that it lacks the image: it is not asked again. Default: it is asked. */
  readonly isMissing?: boolean;
  /** Gives the content. Called only when the registry lacks the image. */
  read(): Promise<ImageContent>;
}

/** The result for an image: it existed; only tags were set; its manifest was stored. */
export type ImageOutcome = "unchanged" | "tagged" | "pushed";

export type BlobOutcome = "present" | "mounted" | "streamed" | "uploaded";

export type PushEvent = Readonly<
  | { type: "checked"; image: NamedImage; blobs: number }
  | { type: "sending"; image: NamedImage; digest: Digest; size: number }
  /** `bytes` is negative when some have to be sent again. */
  | { type: "sent"; image: NamedImage; digest: Digest; bytes: number }
  | { type: "blob"; image: NamedImage; digest: Digest; size: number; outcome: BlobOutcome }
  | { type: "image"; image: NamedImage; outcome: ImageOutcome }
>;

export interface PushOptions {
  /**
   * What to check first. `digest`: one HEAD by digest; sets tags only if the image was missing. `tags`: one HEAD per tag, each of which must
   * name the image.
   */
  readonly check: "digest" | "tags";
  readonly onEvent?: ((event: PushEvent) => void) | undefined;
  /** Number of blobs to check, mount or send in parallel. Default: 6. */
  readonly parallel?: number;
  /** Blobs of earlier pushes, to mount. Read when a repository lacks a blob. Default: none. */
  readonly pushedBlobs?: PushedBlobs;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Pushes images in parallel and skips content that the registry has. Sends a shared blob once and mounts it into the other repositories. Pushes
 * manifests after their blobs and tags last, so that an interrupted push leaves no broken image and can be repeated.
 *
 * @throws the first failure, after stopping the rest
 */
export async function pushImages(images: readonly ImageToPush[], options: PushOptions): Promise<ImageOutcome[]> {
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const push = new Push(options, signal);
  const pushes = images.map((image) => push.image(image));
  try {
    return await Promise.all(pushes);
  } catch (error) {
    stop.abort(error);
    await Promise.allSettled(pushes);
    throw error;
  } finally {
    options.pushedBlobs?.save();
  }
}

class Push {
  readonly #options: PushOptions;
  readonly #signal: AbortSignal;
  readonly #slots: Slots;
  /** By registry and digest, the repository that has or gets a blob first. */
  readonly #holders = new Map<string, { repository: string; arrival: Promise<unknown> }>();

  constructor(options: PushOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#slots = new Slots(options.parallel ?? 6);
  }

  async image(image: ImageToPush): Promise<ImageOutcome> {
    const missing = await this.#missing(image);
    let outcome: ImageOutcome = "unchanged";
    if (missing.manifest) {
      await this.#content(image, missing.tags);
      outcome = "pushed";
    } else if (missing.tags.length > 0) {
      const { manifest } = await image.read();
      await this.#putManifest(image, manifest, missing.tags);
      outcome = "tagged";
    }
    this.#emit({ type: "image", image, outcome });
    return outcome;
  }

  /** The images that the registry lacks. In most runs none, so these are the only requests. */
  async #missing(image: ImageToPush): Promise<{ manifest: boolean; tags: readonly string[] }> {
    const { client, repository, digest, tags } = image;
    if (image.isMissing) return { manifest: true, tags };
    const has = (reference: string) => client.headManifest(repository, reference, { signal: this.#signal });
    if (this.#options.check === "digest" || tags.length === 0) {
      return (await has(digest)) ? { manifest: false, tags: [] } : { manifest: true, tags };
    }
    const current = await Promise.all(tags.map(async (tag) => ({ tag, digest: (await has(tag))?.digest })));
    const wrong = current.filter((each) => each.digest !== digest).map((each) => each.tag);
    if (wrong.length === 0) return { manifest: false, tags: [] };
    const present = wrong.length < tags.length || (await has(digest)) !== undefined;
    return { manifest: !present, tags: wrong };
  }

  async #content(image: ImageToPush, tags: readonly string[]): Promise<void> {
    const { manifest, children = [], blobs } = await image.read();
    const distinct = [...new Map(blobs.map((blob) => [blob.descriptor.digest, blob])).values()];
    this.#emit({ type: "checked", image, blobs: distinct.length });
    await Promise.all(distinct.map((blob) => this.#blob(image, blob)));
    await Promise.all(children.map((child) => this.#putManifest({ ...image, digest: child.digest }, child, [])));
    await this.#putManifest(image, manifest, tags);
    await this.#remember(image, distinct);
  }

  async #remember({ client, repository }: ImageToPush, blobs: readonly BlobToPush[]): Promise<void> {
    const { pushedBlobs } = this.#options;
    const account = pushedBlobs && (await client.account(repository));
    const digests = blobs.map(({ descriptor }) => descriptor.digest);
    if (account !== undefined) pushedBlobs?.add(account, repository, digests);
  }

  /** The repository that an earlier push put a blob into. */
  async #remembered({ client, repository }: ImageToPush, digest: Digest): Promise<string | undefined> {
    const { pushedBlobs } = this.#options;
    const account = pushedBlobs && (await client.account(repository));
    return account === undefined ? undefined : pushedBlobs?.find(account, digest);
  }

  /** A manifest without tags is stored by digest; else each tag stores it, the first one before the others. */
  async #putManifest(image: ImageToPush, manifest: ImageContent["manifest"], tags: readonly string[]): Promise<void> {
    const { client, repository } = image;
    const { bytes, mediaType } = manifest;
    const signal = this.#signal;
    const put = (reference: string) => client.putManifest(repository, reference, bytes, mediaType, { signal });
    const [first = image.digest, ...rest] = tags;
    await put(first);
    await Promise.all(rest.map(put));
  }

  async #blob(image: ImageToPush, blob: BlobToPush): Promise<void> {
    const { digest, size } = blob.descriptor;
    const key = `${image.client.registry} ${digest}`;
    const holder = this.#holders.get(key);
    let outcome: BlobOutcome;
    if (!holder) {
      const arrival = this.#slots.run(() => this.#transfer(image, blob, blob.mountFrom));
      this.#holders.set(key, { repository: image.repository, arrival });
      outcome = await arrival;
    } else {
      // Wait outside a slot: waiting pushes must not take the slot of the push that they wait for.
      await holder.arrival;
      outcome =
        holder.repository === image.repository
          ? "present"
          : await this.#slots.run(() => this.#transfer(image, blob, holder.repository));
    }
    this.#emit({ type: "blob", image, digest, size, outcome });
  }

  async #transfer(image: ImageToPush, blob: BlobToPush, holder: string | undefined): Promise<BlobOutcome> {
    const { client, repository } = image;
    const { descriptor, open } = blob;
    const signal = this.#signal;
    if ((await client.headBlob(repository, descriptor.digest, { push: true, signal })) !== undefined) return "present";
    const mountFrom = holder ?? (await this.#remembered(image, descriptor.digest));
    this.#emit({ type: "sending", image, digest: descriptor.digest, size: descriptor.size });
    const onBytes = (bytes: number) => this.#emit({ type: "sent", image, digest: descriptor.digest, bytes });
    const outcome = await client.pushBlob({ repository, descriptor, open, mountFrom, onBytes, signal });
    return outcome === "uploaded" && blob.streamedFrom !== undefined ? "streamed" : outcome;
  }

  #emit(event: PushEvent): void {
    this.#options.onEvent?.(event);
  }
}

/** Limits parallel work. */
class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
