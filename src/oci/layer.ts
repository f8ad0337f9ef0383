import type { Digest } from "./digest.ts";
import { canonicalJson, parseJson } from "./json.ts";

/** `NAME.layer.json`. With it, images are assembled without reading layers. */
export interface LayerMetadata {
  readonly mediaType: string;
  /** Of the blob as it is stored and sent. */
  readonly digest: Digest;
  readonly size: number;
  /** Of the uncompressed tar. */
  readonly diffId: Digest;
  /** For the image's history. */
  readonly comment?: string;
}

/** @throws UserError with document and field */
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

export function formatLayerMetadata(layer: LayerMetadata): Uint8Array<ArrayBuffer> {
  return canonicalJson(layer);
}
