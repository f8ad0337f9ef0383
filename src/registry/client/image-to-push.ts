import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import type { OpenBlob, RegistryClient } from "./client.ts";

export interface BlobOrigin {
  readonly kind: "registry" | "cache";
  readonly host: string;
}

export interface BlobToPush {
  readonly descriptor: Pick<Descriptor, "digest" | "size">;
  readonly open: OpenBlob;
  /** Probably holds the blob. */
  readonly mountFrom?: string | undefined;
  /** Undefined: the content is on this machine. */
  readonly origin?: BlobOrigin | undefined;
}

export interface ImageContent {
  readonly manifest: { readonly bytes: Uint8Array; readonly mediaType: string };
  /** Of an index. */
  readonly children?: readonly (ImageContent["manifest"] & { readonly digest: Digest })[];
  /** Of an index: those of all its images. */
  readonly blobs: readonly BlobToPush[];
}

export interface NamedImage {
  readonly client: RegistryClient;
  readonly repository: string;
  readonly tags: readonly string[];
  readonly digest: Digest;
}

export interface ImageToPush extends NamedImage {
  /** The registry just said that it lacks the image, so it is not asked again. Default: it is asked. */
  readonly isMissing?: boolean;
  /** Called only when the registry lacks the image. */
  read(): Promise<ImageContent>;
  /** The push fails if this throws. `stored` settles when the registry has the image, or the push has failed. */
  readonly attach?: ((outcome: ImageOutcome, stored: Promise<unknown>) => Promise<void>) | undefined;
}

/** The image existed; only tags were set; its manifest was stored. */
export type ImageOutcome = "unchanged" | "tagged" | "pushed";

export type BlobOutcome = "present" | "mounted" | "streamed" | "uploaded";

/** One of the images that need the blob. */
export interface BlobOfImage {
  readonly image: NamedImage;
  readonly blob: BlobToPush;
}

export type PushEvent = Readonly<
  | { type: "checked"; image: NamedImage; blobs: number }
  | { type: "sending"; image: NamedImage; digest: Digest; size: number }
  /** Negative when some have to be sent again. */
  | { type: "sent"; image: NamedImage; digest: Digest; bytes: number }
  | { type: "blob"; image: NamedImage; digest: Digest; size: number; outcome: BlobOutcome }
  | { type: "image"; image: NamedImage; outcome: ImageOutcome }
>;
