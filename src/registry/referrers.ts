import { Readable } from "node:stream";
import { type Artifact, composeArtifact, emptyContent, emptyDescriptor } from "../oci/artifact.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { RegistryClient } from "./client/client.ts";
import { changeReferrersList } from "./client/referrers-list.ts";

/**
 * Attaches a document to an image or index: distribution specification 1.1, "Pushing Manifests with Subject". Lists it under a tag where the
 * registry has no referrers API. Sends nothing if the image has the same document already.
 *
 * @param subject the image or index in this repository
 * @param options `isNew`: the subject was stored just now, so the registry is not asked whether it has the document already
 * @returns the descriptor of the attached artifact
 * @throws UserError or Failure of the registry, as {@link RegistryClient}
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
  // Some registries have the API, but their answer does not say so.
  if (isListed(await client.listedReferrers(repository, subject.digest))) return descriptor;
  await changeReferrersList(client, repository, subject.digest, { add: [descriptor] });
  return descriptor;
}

/**
 * Lists what refers to an image or index, by the referrers API or the tag that stands in for it.
 *
 * @param artifactType only artifacts of this type. Default: all
 */
export async function listReferrers(
  client: RegistryClient,
  repository: string,
  subject: Digest,
  artifactType?: string,
): Promise<Descriptor[]> {
  return [...(await client.referrers(repository, subject, artifactType))];
}

/** The pushes of the empty configuration, by repository. Documents of one process share it. */
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
