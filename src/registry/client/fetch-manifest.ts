import { UserError } from "../../core/errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { type ImageIndex, type ImageManifest, parseManifest } from "../../oci/manifest.ts";
import type { Reference } from "../../oci/reference.ts";
import type { RegistryClient, StoredManifest } from "./client.ts";

/** A manifest or index, read and as it is kept. */
export interface FetchedManifest extends StoredManifest {
  readonly manifest: ImageManifest | ImageIndex;
}

/**
 * Fetches and checks what a tag or digest names.
 *
 * @throws UserError when there is no such image, or what is there is neither manifest nor index
 */
export async function fetchManifest(
  client: RegistryClient,
  repository: string,
  name: string | Digest,
  options: { readonly signal?: AbortSignal } = {},
): Promise<FetchedManifest> {
  const stored = await client.getManifest(repository, name, options);
  if (!stored) throw absentImage({ registry: client.registry, repository }, name);
  const { bytes, descriptor } = stored;
  const manifest = parseManifest(bytes, {
    // Some registries call every manifest by a general name; what is inside is what counts then.
    ...(descriptor.mediaType.startsWith("application/vnd.") ? { mediaType: descriptor.mediaType } : {}),
    document: `Manifest ${descriptor.digest} of ${client.registry}/${repository}`,
  });
  return { bytes, manifest, descriptor: { ...descriptor, mediaType: manifest.mediaType } };
}

/** The error for a tag or digest that a repository does not have. */
export function absentImage(
  { registry, repository }: Pick<Reference, "registry" | "repository">,
  name: string,
): UserError {
  return new UserError(
    `Registry ${registry} has no image ${name} in ${repository}.`,
    "Check the names of registry and repository, and the tag or digest; some registries say the same of what one may not read.",
  );
}
