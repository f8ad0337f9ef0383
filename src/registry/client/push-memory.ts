import type { Digest } from "../../oci/digest.ts";
import type { ImageContent, NamedImage } from "./image-to-push.ts";
import type { PushedBlobs } from "./pushed-blobs.ts";
import { refusesUnknownBlobs } from "./unknown-blobs.ts";

/** From earlier pushes. */
export interface Memory {
  readonly blobs: PushedBlobs;
  readonly account: string;
  readonly seen: ReadonlySet<string>;
  /** Whether it refuses a manifest whose blobs it lacks. */
  readonly refuses: boolean | undefined;
}

type Place = Pick<NamedImage, "client" | "repository">;

export class PushMemory {
  readonly #blobs: PushedBlobs | undefined;
  /** {@link refusesUnknownBlobs} by registry and repository. */
  readonly #lessons = new Map<string, Promise<void>>();

  constructor(blobs: PushedBlobs | undefined) {
    this.#blobs = blobs;
  }

  /** Undefined: nothing known, or the credential does not name its user. */
  async of({ client, repository }: Place): Promise<Memory | undefined> {
    const blobs = this.#blobs;
    const account = blobs && (await client.account(repository));
    if (!blobs || account === undefined) return undefined;
    const seen = blobs.seenIn(account, repository);
    const refuses = client.isEmbedded || blobs.refusesUnknown(account, repository);
    return { blobs, account, seen, refuses };
  }

  /** Whether to ask for push access too: a token service may refuse it to a user who only reads. */
  async hasPushed(place: Place): Promise<boolean> {
    return place.client.usesTokens && ((await this.of(place))?.seen.size ?? 0) > 0;
  }

  async holder({ client, repository }: Place, digest: Digest): Promise<string | undefined> {
    const account = this.#blobs && (await client.account(repository));
    return account === undefined ? undefined : this.#blobs?.find(account, digest);
  }

  learn(
    { client, repository }: Place,
    { children, manifest }: ImageContent,
    { blobs, account }: Memory,
    signal: AbortSignal,
  ): Promise<void> {
    const key = `${client.registry} ${repository}`;
    let lesson = this.#lessons.get(key);
    if (!lesson) {
      lesson = refusesUnknownBlobs(client, repository, children?.[0] ?? manifest, signal).then((refuses) => {
        if (refuses !== undefined) blobs.noteRefusal(account, repository, refuses);
      });
      this.#lessons.set(key, lesson);
    }
    return lesson;
  }
}
