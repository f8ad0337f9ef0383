import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { checkReferrerCount } from "../oci/manifest.ts";
import { formatReference } from "../oci/reference.ts";
import { findAttachedTags } from "./client/attached-tags.ts";
import type { RegistryClient } from "./client/client.ts";

/** An artifact that refers to an image, and what refers to the artifact. */
export interface Referrer {
  readonly descriptor: Descriptor;
  /** The tag that attaches it. Undefined: it names the image as its subject. */
  readonly tag?: string;
  readonly referrers: readonly Referrer[];
}

/**
 * Finds everything that refers to an image or index, directly or not. Each artifact is in the tree once.
 *
 * @throws UserError if they are too many; UserError or Failure of the registry
 */
export async function findReferrers(
  client: RegistryClient,
  repository: string,
  subject: Digest,
  { seen = new Set<Digest>(), most }: { readonly seen?: Set<Digest>; readonly most?: number | undefined } = {},
): Promise<Referrer[]> {
  checkReferrerCount(seen.size, formatReference({ registry: client.registry, repository, digest: subject }), most);
  seen.add(subject);
  const attached = await findAttachedTags(client, repository, subject);
  const listed = await client.referrers(repository, subject);
  const found: Referrer[] = attached.map((each) => ({ ...each, referrers: [] }));
  for (const descriptor of listed) {
    if (seen.has(descriptor.digest)) continue;
    found.push({ descriptor, referrers: await findReferrers(client, repository, descriptor.digest, { seen, most }) });
  }
  return found;
}
