import type {
  BlobOfImage,
  BlobOutcome,
  BlobToPush,
  ImageContent,
  ImageOutcome,
  ImageToPush,
  PushEvent,
} from "./image-to-push.ts";
import { type Memory, PushMemory } from "./push-memory.ts";
import type { PushedBlobs } from "./pushed-blobs.ts";
import { AccessRefused } from "./refusal.ts";
import { Slots } from "./slots.ts";
import { mayLackBlobs } from "./unknown-blobs.ts";

export type {
  BlobOrigin,
  BlobOutcome,
  BlobToPush,
  ImageContent,
  ImageOutcome,
  ImageToPush,
  NamedImage,
  PushEvent,
} from "./image-to-push.ts";

export interface PushOptions {
  /** `digest`: one HEAD by digest, sets tags only for a missing image. `tags`: one HEAD per tag, all must name it. */
  readonly check: "digest" | "tags";
  readonly onEvent?: ((event: PushEvent) => void) | undefined;
  /** Blobs to check, mount or send in parallel. Default: 6. */
  readonly parallel?: number;
  /** Blobs of earlier pushes. Default: none. */
  readonly pushedBlobs?: PushedBlobs;
  /** Gets missing blobs before their content is sent, again for those found later. If it throws, none is sent. */
  readonly prepare?: (blobs: readonly BlobOfImage[]) => Promise<void>;
  /** Called for an image that fails, while the others go on. Default: the first failure stops the push. */
  readonly onFailure?: ((image: ImageToPush, error: unknown) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sends a shared blob once and mounts it elsewhere. Manifests follow their blobs and tags come last, so an interrupted
 * push leaves no broken image.
 *
 * @returns undefined for an image passed to `onFailure`; without it the first failure is thrown and the rest stopped
 */
export async function pushImages(
  images: readonly ImageToPush[],
  options: PushOptions,
): Promise<(ImageOutcome | undefined)[]> {
  const push = new Push(options);
  try {
    return await push.images(images);
  } finally {
    options.pushedBlobs?.save();
  }
}

interface Plan {
  readonly image: ImageToPush;
  readonly tags: readonly string[];
  readonly content: ImageContent;
  /** Empty if the registry has the manifest. */
  readonly blobs: readonly PlannedBlob[];
  readonly outcome: ImageOutcome;
  readonly memory?: Memory | undefined;
}

interface PlannedBlob extends BlobOfImage {
  readonly image: ImageToPush;
  /** `remembered`: an earlier push saw it. */
  isPresent: boolean | "remembered";
}

class Push {
  readonly #options: PushOptions;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #slots: Slots;
  readonly #memory: PushMemory;
  readonly #contents = new Map<ImageToPush, Promise<ImageContent>>();
  readonly #presence = new Map<string, Promise<boolean>>();
  /** By registry and digest, the first repository that has or gets a blob. */
  readonly #holders = new Map<string, { repository: string; arrival: Promise<unknown> }>();
  readonly #prepared = new Map<string, Promise<void>>();

  constructor(options: PushOptions) {
    this.#options = options;
    const stop = this.#stop.signal;
    this.#signal = options.signal ? AbortSignal.any([options.signal, stop]) : stop;
    this.#slots = new Slots(options.parallel ?? 6);
    this.#memory = new PushMemory(options.pushedBlobs);
  }

  async images(images: readonly ImageToPush[]): Promise<(ImageOutcome | undefined)[]> {
    const plans = await this.#all(images, (image) => this.#plan(image));
    const blobs = plans.flatMap((plan) => (typeof plan === "object" ? plan.blobs : []));
    const present = blobs.filter(({ isPresent }) => isPresent);
    for (const { image, blob } of present) this.#hold(image, blob, Promise.resolve());
    if (!this.#options.onFailure) await this.#prepare(blobs.filter(({ isPresent }) => !isPresent));
    return this.#all(images, async (_, index) => {
      const plan = plans[index];
      return typeof plan === "object" ? this.#carryOut(plan) : plan;
    });
  }

  /** Undefined for one that failed. @throws the first failure, after stopping the rest */
  async #all<T>(
    images: readonly ImageToPush[],
    each: (image: ImageToPush, index: number) => Promise<T>,
  ): Promise<(T | undefined)[]> {
    const { onFailure } = this.#options;
    const work = images.map(each);
    if (onFailure) {
      const note = (error: unknown, at: number) => void onFailure(images[at] as ImageToPush, error);
      return Promise.all(work.map((result, at) => result.catch((error) => note(error, at))));
    }
    try {
      return await Promise.all(work);
    } catch (error) {
      this.#stop.abort(error);
      await Promise.allSettled(work);
      throw error;
    }
  }

  /** `unchanged`: nothing to send. */
  async #plan(image: ImageToPush): Promise<Plan | "unchanged"> {
    const { manifest, tags } = await this.#missing(image);
    if (!manifest && tags.length === 0) {
      await image.attach?.("unchanged", Promise.resolve());
      this.#emit({ type: "image", image, outcome: "unchanged" });
      return "unchanged";
    }
    const content = await this.#content(image);
    if (!manifest) return { image, tags, content, blobs: [], outcome: "tagged" };
    const memory = await this.#memory.of(image);
    const distinct = [...new Map(content.blobs.map((blob) => [blob.descriptor.digest, blob])).values()];
    this.#emit({ type: "checked", image, blobs: distinct.length });
    const blobs = await Promise.all(
      distinct.map(async (blob) => ({ image, blob, isPresent: await this.#isPresent(image, blob, memory) })),
    );
    return { image, tags, content, blobs, outcome: "pushed", memory };
  }

  async #carryOut(plan: Plan): Promise<ImageOutcome> {
    const { image, blobs, outcome } = plan;
    if (this.#options.onFailure) await this.#prepare(blobs.filter(({ isPresent }) => !isPresent));
    const storing = this.#storeImage(plan);
    const attaching = image.attach?.(outcome, storing);
    attaching?.catch(() => {});
    await storing;
    await attaching;
    this.#emit({ type: "image", image, outcome });
    return outcome;
  }

  async #storeImage(plan: Plan): Promise<void> {
    const { image, tags, content, blobs, outcome, memory } = plan;
    if (outcome === "pushed") await Promise.all(blobs.map((each) => this.#blob(each)));
    // Learned beside the manifest, so it takes no time of its own.
    const learning =
      memory && memory.refuses === undefined ? this.#memory.learn(image, content, memory, this.#signal) : undefined;
    try {
      await this.#putManifests(image, content, tags, outcome);
    } catch (error) {
      if (!(await this.#sendForgotten(plan, error))) throw error;
      await this.#putManifests(image, content, tags, outcome);
    }
    await learning;
    for (const { blob, isPresent } of blobs) if (isPresent === "remembered") this.#told(image, blob, "present");
    const digests = blobs.map(({ blob }) => blob.descriptor.digest);
    memory?.blobs.add(memory.account, image.repository, digests);
  }

  async #putManifests(
    image: ImageToPush,
    { manifest, children = [] }: ImageContent,
    tags: readonly string[],
    outcome: ImageOutcome,
  ): Promise<void> {
    if (outcome === "pushed") {
      await Promise.all(children.map((child) => this.#putManifest({ ...image, digest: child.digest }, child, [])));
    }
    await this.#putManifest(image, manifest, tags);
  }

  /** Sends blobs that the registry has deleted since an earlier push. False: it lacked none. */
  async #sendForgotten({ image, blobs, memory }: Plan, error: unknown): Promise<boolean> {
    const remembered = blobs.filter(({ isPresent }) => isPresent === "remembered");
    if (!memory || remembered.length === 0 || this.#signal.aborted || !mayLackBlobs(error)) return false;
    memory.blobs.forget(memory.account, image.repository);
    await Promise.all(
      remembered.map(async (each) => {
        each.isPresent = await this.#isPresent(image, each.blob, undefined);
        if (each.isPresent) this.#told(image, each.blob, "present");
      }),
    );
    const missing = remembered.filter(({ isPresent }) => !isPresent);
    await this.#prepare(missing);
    await Promise.all(
      missing.map(async ({ blob }) => {
        this.#told(image, blob, await this.#slots.run(() => this.#transfer(image, blob, blob.mountFrom)));
      }),
    );
    return missing.length > 0;
  }

  /** In most runs, these are the only requests. */
  async #missing(image: ImageToPush): Promise<{ manifest: boolean; tags: readonly string[] }> {
    const { client, repository, digest, tags } = image;
    if (image.isMissing) return { manifest: true, tags };
    const push = await this.#memory.hasPushed(image);
    const head = (reference: string, options: { push: boolean }) =>
      client.headManifest(repository, reference, { ...options, signal: this.#signal });
    const has = (reference: string) =>
      head(reference, { push }).catch((error) => {
        if (push && error instanceof AccessRefused) return head(reference, { push: false });
        throw error;
      });
    if (this.#options.check === "digest" || tags.length === 0) {
      return (await has(digest)) ? { manifest: false, tags: [] } : { manifest: true, tags };
    }
    const current = await Promise.all(tags.map(async (tag) => ({ tag, digest: (await has(tag))?.digest })));
    const wrong = current.filter((each) => each.digest !== digest).map((each) => each.tag);
    if (wrong.length === 0) return { manifest: false, tags: [] };
    const present = wrong.length < tags.length || (!(await this.#isNew(image)) && (await has(digest)) !== undefined);
    return { manifest: !present, tags: wrong };
  }

  /** If a blob is probably missing, so is the manifest, and the registry is not asked. */
  async #isNew(image: ImageToPush): Promise<boolean> {
    const memory = await this.#memory.of(image);
    if (!memory?.refuses || memory.seen.size === 0) return false;
    return (await this.#content(image)).blobs.some(({ descriptor }) => !memory.seen.has(descriptor.digest));
  }

  #content(image: ImageToPush): Promise<ImageContent> {
    const content = this.#contents.get(image) ?? image.read();
    this.#contents.set(image, content);
    return content;
  }

  /** Without tags, stores it by digest. */
  async #putManifest(image: ImageToPush, manifest: ImageContent["manifest"], tags: readonly string[]): Promise<void> {
    const { client, repository } = image;
    const { bytes, mediaType } = manifest;
    const signal = this.#signal;
    const put = (reference: string) => client.putManifest(repository, reference, bytes, mediaType, { signal });
    const [first = image.digest, ...rest] = tags;
    await put(first);
    await Promise.all(rest.map(put));
  }

  /** Registries may store a manifest whose blobs they lack, so memory only counts where one was seen to refuse. */
  async #isPresent(
    { client, repository }: ImageToPush,
    { descriptor: { digest, size } }: BlobToPush,
    memory: Memory | undefined,
  ): Promise<PlannedBlob["isPresent"]> {
    if (memory?.seen.has(digest)) {
      if (memory.refuses) return "remembered";
      // The blob is probably new. Sending a small one takes as long as asking.
    } else if (memory && memory.seen.size > 0 && size <= maximumUnasked) return false;
    const key = `${client.registry} ${repository} ${digest}`;
    let presence = this.#presence.get(key);
    if (!presence) {
      const signal = this.#signal;
      presence = client.headBlob(repository, digest, { push: true, signal }).then((found) => found !== undefined);
      this.#presence.set(key, presence);
    }
    return presence;
  }

  async #prepare(blobs: readonly BlobOfImage[]): Promise<void> {
    const { prepare, onFailure } = this.#options;
    if (!prepare) return;
    if (onFailure) return blobs.length > 0 ? prepare(blobs) : undefined;
    const keyOf = ({ blob }: BlobOfImage) => [blob.descriptor.digest, blob.origin?.kind, blob.origin?.host].join(" ");
    const fresh = new Map(blobs.filter((each) => !this.#prepared.has(keyOf(each))).map((each) => [keyOf(each), each]));
    if (fresh.size > 0) {
      const preparing = prepare([...fresh.values()]);
      for (const key of fresh.keys()) this.#prepared.set(key, preparing);
    }
    await Promise.all(blobs.map((each) => this.#prepared.get(keyOf(each))));
  }

  /** @returns who had or gets the blob before */
  #hold({ client, repository }: ImageToPush, { descriptor }: BlobToPush, arrival: Promise<unknown>) {
    const key = `${client.registry} ${descriptor.digest}`;
    const holder = this.#holders.get(key);
    if (!holder) this.#holders.set(key, { repository, arrival });
    return holder;
  }

  async #blob({ image, blob, isPresent }: PlannedBlob): Promise<void> {
    if (isPresent === "remembered") return;
    this.#told(image, blob, isPresent ? "present" : await this.#store(image, blob));
  }

  #told(image: ImageToPush, { descriptor: { digest, size } }: BlobToPush, outcome: BlobOutcome): void {
    this.#emit({ type: "blob", image, digest, size, outcome });
  }

  async #store(image: ImageToPush, blob: BlobToPush): Promise<BlobOutcome> {
    const key = `${image.client.registry} ${blob.descriptor.digest}`;
    const holder = this.#holders.get(key);
    if (!holder) {
      const arrival = this.#slots.run(() => this.#transfer(image, blob, blob.mountFrom));
      this.#hold(image, blob, arrival);
      return arrival;
    }
    // Waiting pushes must not take the slot of the push that they wait for.
    const arrived = await holder.arrival.then(
      () => true,
      (error) => {
        if (!this.#options.onFailure) throw error;
        return false;
      },
    );
    if (!arrived) {
      // It may have failed for a reason of its own, such as a repository that refuses it.
      if (this.#holders.get(key) === holder) this.#holders.delete(key);
      return this.#store(image, blob);
    }
    if (holder.repository === image.repository) return "present";
    return this.#slots.run(() => this.#transfer(image, blob, holder.repository));
  }

  async #transfer(image: ImageToPush, blob: BlobToPush, holder: string | undefined): Promise<BlobOutcome> {
    const { client, repository } = image;
    const { descriptor, open } = blob;
    const signal = this.#signal;
    const mountFrom = holder ?? (await this.#memory.holder(image, descriptor.digest));
    this.#emit({ type: "sending", image, digest: descriptor.digest, size: descriptor.size });
    const onBytes = (bytes: number) => this.#emit({ type: "sent", image, digest: descriptor.digest, bytes });
    const outcome = await client.pushBlob({
      repository,
      descriptor,
      open,
      isStreamed: blob.origin !== undefined,
      mountFrom,
      onBytes,
      signal,
    });
    return outcome === "uploaded" && blob.origin !== undefined ? "streamed" : outcome;
  }

  #emit(event: PushEvent): void {
    this.#options.onEvent?.(event);
  }
}

const maximumUnasked = 1024 * 1024;
