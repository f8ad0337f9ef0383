import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { type RegistryClient, type RequestOptions, referrersTag } from "./client.ts";

export interface AttachedTag {
  readonly tag: string;
  /** Of the manifest under the tag. */
  readonly descriptor: Pick<Descriptor, "mediaType" | "digest" | "size">;
}

/** Signatures, attestations and SBOMs. */
const suffixes = ["sig", "att", "sbom"];

/** Tags by which cosign before version 3 attaches artifacts: cosign's SIGNATURE_SPEC.md, "Tag-based Discovery". */
export async function findAttachedTags(
  client: RegistryClient,
  repository: string,
  image: Digest,
  options: RequestOptions = {},
): Promise<AttachedTag[]> {
  const found = await Promise.all(
    suffixes.map(async (suffix) => {
      const tag = `${referrersTag(image)}.${suffix}`;
      const descriptor = await client.headManifest(repository, tag, options);
      return descriptor ? [{ tag, descriptor }] : [];
    }),
  );
  return found.flat();
}
