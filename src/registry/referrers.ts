import { Readable } from "node:stream";
import { type Artifact, composeArtifact, emptyContent, emptyDescriptor } from "../oci/artifact.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { checkReferrerCount, mostRemovable, parseManifest } from "../oci/manifest.ts";
import { formatReference } from "../oci/reference.ts";
import { findAttachedTags } from "./client/attached-tags.ts";
import { type RegistryClient, referrersTag } from "./client/client.ts";
import { changeReferrersList, removeTag } from "./client/referrers-list.ts";

/**
 * "Pushing Manifests with Subject", or under a tag without the API. Skips a document that is attached already.
 *
 * @param options `isNew`: the subject was stored just now, so the registry is not asked for its documents
 */
export async function attachReferrer(
  client: RegistryClient,
  repository: string,
  subject: Descriptor,
  artifact: Artifact,
  { isNew = false }: { readonly isNew?: boolean } = {},
): Promise<Descriptor> {
  const { bytes, descriptor, layer } = composeArtifact(subject, artifact);
  const isListed = (found: readonly Descriptor[] | undefined) =>
    found?.some(({ digest }) => digest === descriptor.digest) ?? false;
  const isStored = !isNew && (await client.headManifest(repository, descriptor.digest, { push: true }));
  if (isStored && isListed(await client.referrers(repository, subject.digest))) return descriptor;
  await Promise.all([pushContent(client, repository, layer, artifact.content, isNew), pushEmpty(client, repository)]);
  if (await client.putReferrer(repository, bytes, descriptor.mediaType)) return descriptor;
  if (isListed(await client.listedReferrers(repository, subject.digest))) return descriptor;
  await changeReferrersList(client, repository, subject.digest, { add: [descriptor] });
  return descriptor;
}

/** Shared by the documents of one process. */
const emptyPushes = new WeakMap<RegistryClient, Map<string, Promise<void>>>();

function pushEmpty(client: RegistryClient, repository: string): Promise<void> {
  const pushes = emptyPushes.get(client) ?? new Map<string, Promise<void>>();
  emptyPushes.set(client, pushes);
  const push = pushes.get(repository) ?? pushContent(client, repository, emptyDescriptor, emptyContent, false);
  pushes.set(repository, push);
  push.catch(() => pushes.delete(repository));
  return push;
}

async function pushContent(
  client: RegistryClient,
  repository: string,
  descriptor: Descriptor,
  content: Uint8Array,
  isNew: boolean,
): Promise<void> {
  if (!isNew && (await client.headBlob(repository, descriptor.digest, { push: true })) !== undefined) return;
  const open = (start: number, end: number) => Readable.from([content.subarray(start, end)], { objectMode: false });
  await client.pushBlob({ repository, descriptor, open });
}

export interface Referrer {
  readonly descriptor: Descriptor;
  /** Undefined: it names the image as its subject. */
  readonly tag?: string;
  readonly referrers: readonly Referrer[];
}

/** Everything that refers to an image, directly or not, each artifact once. @throws UserError if they are too many */
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

/** With all its tags and referrers. The image goes last, so that a second attempt finishes the first. */
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

/** For registries that do not maintain the list of referrers. */
async function unlist(client: RegistryClient, repository: string, subject: Digest, remove: readonly Digest[]) {
  if (remove.length === 0 || !(await client.headManifest(repository, referrersTag(subject)))) return;
  await changeReferrersList(client, repository, subject, { remove });
}
