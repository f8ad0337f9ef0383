import { UserError } from "../../core/errors.ts";
import { type Digest, isDigest } from "../../oci/digest.ts";
import { type ImageIndex, type ImageManifest, parseManifest } from "../../oci/manifest.ts";
import { formatReference, type Reference } from "../../oci/reference.ts";
import type { RegistryClient, RequestOptions, StoredManifest } from "./client.ts";

export interface FetchedManifest extends StoredManifest {
  readonly manifest: ImageManifest | ImageIndex;
}

/** @throws UserError if there is no such image, or it is neither a manifest nor an index */
export async function fetchManifest(
  client: RegistryClient,
  repository: string,
  name: string | Digest,
  options: RequestOptions = {},
): Promise<FetchedManifest> {
  const stored = await client.getManifest(repository, name, options);
  if (!stored) {
    await client.checkRegistry(repository);
    throw absentImage({ registry: client.registry, repository }, name);
  }
  const { bytes, descriptor } = stored;
  const manifest = parseManifest(bytes, {
    // Some registries send a general media type. Then the document's counts.
    ...(descriptor.mediaType.startsWith("application/vnd.") ? { mediaType: descriptor.mediaType } : {}),
    document: `Manifest ${descriptor.digest} of ${client.registry}/${repository}`,
  });
  return { bytes, manifest, descriptor: { ...descriptor, mediaType: manifest.mediaType } };
}

export function absentImage(
  { registry, repository }: Pick<Reference, "registry" | "repository">,
  name: string,
): UserError {
  const named = isDigest(name) ? { digest: name } : { tag: name };
  return new UserError(
    { code: "image-not-found", culprit: formatReference({ registry, repository, ...named }) },
    `Registry ${registry} has no image ${name} in ${repository}.`,
    "Check the name, and that your credential may read the image: some registries hide it otherwise.",
  );
}
