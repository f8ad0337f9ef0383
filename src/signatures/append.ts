import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { composeImage, type ImageSpec } from "../oci/compose.ts";
import { sha256 } from "../oci/digest.ts";
import type { LayerMetadata } from "../oci/layer.ts";
import { formatReference } from "../oci/reference.ts";
import type { RunnableImage } from "../oci/runnable-image.ts";
import { type BlobToPush, type ImageContent, type PushEvent, pushImages } from "../registry/client/push.ts";
import { SourceImage } from "../registry/source-image.ts";
import { openWritable, type WritableOptions } from "../registry/writable.ts";
import { signPushed } from "./rules.ts";
import { ownImage } from "./runnable-image.ts";

export interface LocalLayer {
  readonly metadata: LayerMetadata;
  readonly blob: string;
}

export interface AppendOptions extends WritableOptions {
  /** `HOST/REPOSITORY@sha256:…`. */
  readonly image: RunnableImage;
  /** `os/architecture[/variant]`, for an index. */
  readonly platform?: string;
  /** On top of the image's own. Without any, the image is copied to the registry of jobs. */
  readonly layers: readonly LocalLayer[];
  /** Default: none. */
  readonly spec?: ImageSpec;
  /** In the registry of jobs. Default: that of `image`. */
  readonly repository?: string;
  readonly tags?: readonly string[];
  readonly onEvent?: (event: PushEvent) => void;
  readonly signal?: AbortSignal;
}

/**
 * Adds layers to an image and pushes the result to the registry of jobs ({@link openWritable}), signed if the
 * configuration has a key. Mounts or streams the image's layers, never through the disk. The same inputs give the
 * same digest; if the registry has it, one HEAD suffices.
 * @returns `image`: `HOST/REPOSITORY@sha256:…`
 * @throws UserError if there is no such image, it has another platform, or a registry refuses
 */
export async function appendLayers(options: AppendOptions) {
  const source = new SourceImage(options);
  const target = await openWritable(options);
  try {
    const base = await source.read();
    const composed = composeImage({
      base: { manifest: base.manifest, config: base.config, name: options.image },
      layers: options.layers.map(({ metadata }) => metadata),
      spec: { ...platformOf(options.platform), ...options.spec },
    });
    const { digest, mediaType } = composed.descriptor;
    const { registry, repository: own } = source.reference;
    // The repository of the image already has its layers.
    const repository =
      options.repository === undefined && registry === target.host ? own : target.place(options.repository ?? own);
    const read = async (): Promise<ImageContent> => ({
      manifest: { bytes: composed.manifest, mediaType },
      blobs: [
        bytesToPush(composed.config),
        ...(await source.blobs(base.manifest, target.host)),
        ...options.layers.map(fileToPush),
      ],
    });
    const { tags = [], onEvent, signal } = options;
    const image = { client: target.client, repository, tags, digest, read };
    const [outcome = "unchanged"] = await pushImages([image], { check: "tags", onEvent, signal });
    // Whoever pushed an existing image without tags signed it, or not: checking would take a request.
    if (outcome !== "unchanged" || tags.length > 0)
      await signPushed(target.client, { registry: target.host, repository }, [composed.descriptor], options.env);
    return { image: ownImage(formatReference({ registry: target.host, repository, digest })), digest, outcome };
  } finally {
    target.client.close();
    source.close();
  }
}

function platformOf(platform: string | undefined): Pick<ImageSpec, "os" | "architecture" | "variant"> {
  const [os, architecture, variant] = platform?.split("/") ?? [];
  return { ...(os ? { os } : {}), ...(architecture ? { architecture } : {}), ...(variant ? { variant } : {}) };
}

function fileToPush({ metadata, blob }: LocalLayer): BlobToPush {
  return {
    descriptor: metadata,
    open: (start, end) => createReadStream(blob, { start, end: end - 1 }),
  };
}

function bytesToPush(bytes: Uint8Array): BlobToPush {
  return {
    descriptor: { digest: sha256(bytes), size: bytes.length },
    open: (start, end) => Readable.from([bytes.subarray(start, end)], { objectMode: false }),
  };
}
