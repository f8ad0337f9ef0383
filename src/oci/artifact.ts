import type { Descriptor } from "./descriptor.ts";
import { type Digest, sha256 } from "./digest.ts";
import { canonicalJson } from "./json.ts";
import type { ImageManifest } from "./manifest.ts";
import { mediaTypes } from "./media-types.ts";

/** Image specification, "Guidance for an Empty Descriptor". */
export const emptyContent = Buffer.from("{}");
export const emptyDescriptor: Descriptor = {
  mediaType: mediaTypes.empty,
  digest: sha256(emptyContent),
  size: emptyContent.length,
};

/** Bytes of content that the manifest has too, which saves readers a request. Signatures have 1000. */
const largestInline = 8 * 1024;

/** A document that refers to an image: an SBOM, a signature, provenance. */
export interface Artifact {
  readonly artifactType: string;
  readonly mediaType: string;
  readonly content: Uint8Array;
  /** Of the manifest, and of its entry in lists of referrers. */
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface ComposedArtifact {
  readonly bytes: Uint8Array;
  readonly descriptor: Descriptor;
  readonly layer: Descriptor;
}

/** The same content gives the same bytes (image specification 1.1, "Guidelines for Artifact Usage"). */
export function composeArtifact(subject: Descriptor, artifact: Artifact): ComposedArtifact {
  const { artifactType, mediaType, content, annotations } = artifact;
  const stored = { mediaType, digest: sha256(content), size: content.length };
  const isInline = content.length <= largestInline;
  const layer = isInline ? { ...stored, data: Buffer.from(content).toString("base64") } : stored;
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType,
    config: emptyDescriptor,
    layers: [layer],
    subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
    ...(annotations ? { annotations } : {}),
  };
  const bytes = canonicalJson(manifest);
  return {
    bytes,
    descriptor: describeReferrer(manifest, { digest: sha256(bytes), size: bytes.length }),
    layer: stored,
  };
}

/** A referrer's entry in a list: distribution specification 1.1, "Listing Referrers". */
export function describeReferrer(
  manifest: Pick<ImageManifest, "mediaType" | "artifactType" | "annotations"> & { readonly config?: Descriptor },
  { digest, size }: { readonly digest: Digest; readonly size: number },
): Descriptor {
  const artifactType = manifest.artifactType || manifest.config?.mediaType;
  return {
    mediaType: manifest.mediaType,
    digest,
    size,
    ...(artifactType ? { artifactType } : {}),
    ...(manifest.annotations ? { annotations: manifest.annotations } : {}),
  };
}
