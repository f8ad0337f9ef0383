import type { Digest } from "../oci/digest.ts";
import { mostRemovable, parseManifest } from "../oci/manifest.ts";
import { type RegistryClient, referrersTag } from "./client/client.ts";
import { changeReferrersList } from "./client/referrers-list.ts";
import { Unsupported } from "./client/refusal.ts";
import { findReferrers, type Referrer } from "./referrers-tree.ts";

/**
 * Removes an image, index or artifact by its digest, with all its tags and everything that refers to it. The image goes last, so that a
 * second attempt finishes an interrupted one.
 *
 * @returns false if the repository does not have it
 * @throws UserError or Failure of the registry, which may not support deletion
 */
export async function removeImage(client: RegistryClient, repository: string, digest: Digest): Promise<boolean> {
  const stored = await client.getManifest(repository, digest);
  if (!stored) return false;
  const referrers = await findReferrers(client, repository, digest, { most: mostRemovable });
  await removeReferrers(client, repository, digest, referrers);
  await client.deleteManifest(repository, digest);
  const subject = parseManifest(stored.bytes).subject?.digest;
  if (subject) await unlist(client, repository, subject, [digest]);
  return true;
}

async function removeReferrers(
  client: RegistryClient,
  repository: string,
  subject: Digest,
  referrers: readonly Referrer[],
): Promise<void> {
  for (const { descriptor, tag, referrers: further } of referrers) {
    await removeReferrers(client, repository, descriptor.digest, further);
    if (tag !== undefined) await removeTag(client, repository, tag);
    await client.deleteManifest(repository, descriptor.digest);
  }
  await unlist(
    client,
    repository,
    subject,
    referrers.map(({ descriptor }) => descriptor.digest),
  );
}

/** Some registries remove no tags, but their manifests with all tags. */
async function removeTag(client: RegistryClient, repository: string, tag: string): Promise<void> {
  await client.deleteManifest(repository, tag).catch((error) => {
    if (!(error instanceof Unsupported)) throw error;
  });
}

/** For registries that do not maintain the list of referrers. */
async function unlist(
  client: RegistryClient,
  repository: string,
  subject: Digest,
  remove: readonly Digest[],
): Promise<void> {
  if (remove.length === 0 || !(await client.headManifest(repository, referrersTag(subject)))) return;
  await changeReferrersList(client, repository, subject, { remove });
}
