import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import type { OpenBlob, RegistryClient } from "./client.ts";

/** A registry or a remote cache that holds the content of a blob. */
export interface BlobOrigin {
  readonly kind: "registry" | "cache";
  readonly host: string;
}

/** A blob of an image and the source of its content. */
export interface BlobToPush {
  readonly descriptor: Pick<Descriptor, "digest" | "size">;
  readonly open: OpenBlob;
  /** A repository of the target registry that probably holds the blob. */
  readonly mountFrom?: string | undefined;
  /** The place that the content streams from. Undefined: it is on this machine. */
  readonly origin?: BlobOrigin | undefined;
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
  /**
   * Attaches documents to the image, while its content is sent. The push fails if this throws.
   *
   * @param stored settles when the registry has the image, or the push has failed
   */
  readonly attach?: ((outcome: ImageOutcome, stored: Promise<unknown>) => Promise<void>) | undefined;
}

/** The result for an image: it existed; only tags were set; its manifest was stored. */
export type ImageOutcome = "unchanged" | "tagged" | "pushed";

export type BlobOutcome = "present" | "mounted" | "streamed" | "uploaded";

/** A blob whose content a push sends, and one of the images that need it. */
export interface BlobOfImage {
  readonly image: NamedImage;
  readonly blob: BlobToPush;
}

export type PushEvent = Readonly<
  | { type: "checked"; image: NamedImage; blobs: number }
  | { type: "sending"; image: NamedImage; digest: Digest; size: number }
  /** `bytes` is negative when some have to be sent again. */
  | { type: "sent"; image: NamedImage; digest: Digest; bytes: number }
  | { type: "blob"; image: NamedImage; digest: Digest; size: number; outcome: BlobOutcome }
  | { type: "image"; image: NamedImage; outcome: ImageOutcome }
>;
