import type { Digest } from "./digest.ts";
import { canonicalJson, parseJson } from "./json.ts";

/** Metadata of a built layer, `NAME.layer.json`. With it, images are assembled without reading layers. */
export interface LayerMetadata {
  readonly mediaType: string;
  /** Digest of the blob as it is stored and sent. */
  readonly digest: Digest;
  /** Bytes of the blob. */
  readonly size: number;
  /** Digest of the uncompressed tar. */
  readonly diffId: Digest;
  /** Description of the layer for the image's history. */
  readonly comment?: string;
}

/**
 * Reads a layer's metadata.
 *
 * @param document its path, for errors
 * @throws UserError with document and field
 */
export function parseLayerMetadata(bytes: Uint8Array, document: string): LayerMetadata {
  const node = parseJson(bytes, document);
  const comment = node.optional("comment")?.string();
  return {
    mediaType: node.get("mediaType").string(),
    digest: node.get("digest").digest(),
    size: node.get("size").size(),
    diffId: node.get("diffId").digest(),
    ...(comment === undefined ? {} : { comment }),
  };
}

/** The bytes of a layer's metadata file. */
export function formatLayerMetadata(layer: LayerMetadata): Uint8Array<ArrayBuffer> {
  return canonicalJson(layer);
}
