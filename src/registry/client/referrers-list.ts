import { setTimeout as delay } from "node:timers/promises";
import { Failure } from "../../core/errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { canonicalJson } from "../../oci/json.ts";
import { mediaTypes } from "../../oci/media-types.ts";
import { type RegistryClient, referrersTag } from "./client.ts";
import { Unsupported } from "./refusal.ts";

/** A change of the list of a manifest's referrers. */
interface Change {
  readonly add?: readonly Descriptor[];
  readonly remove?: readonly Digest[];
}

/** How often to write a list that other writers overwrite. */
const attempts = 20;

/** Milliseconds by which writers on several machines move apart, at most. */
const longestWait = 200;

/** The last change of each list that this process writes. */
const pending = new WeakMap<RegistryClient, Map<string, Promise<void>>>();

/**
 * Changes the list of referrers that clients maintain under a tag, where a registry has no referrers API: distribution specification 1.1,
 * "Referrers Tag Schema".
 *
 * Registries cannot compare and swap, so two writers can overwrite each other. Changes of one process follow each other. After writing and
 * a pause, the list is read back, and written again if another process has replaced it by one without the change.
 *
 * @throws Failure if other writers replace the list again and again
 */
export function changeReferrersList(
  client: RegistryClient,
  repository: string,
  subject: Digest,
  change: Change,
): Promise<void> {
  const lists = pending.get(client) ?? new Map<string, Promise<void>>();
  pending.set(client, lists);
  const key = `${repository}@${subject}`;
  const before = lists.get(key) ?? Promise.resolve();
  const work = before.catch(() => {}).then(() => write(client, repository, subject, change));
  lists.set(key, work);
  return work;
}

async function write(client: RegistryClient, repository: string, subject: Digest, change: Change): Promise<void> {
  const tag = referrersTag(subject);
  const read = () => client.taggedReferrers(repository, subject);
  for (let attempt = 0; attempt < attempts; attempt++) {
    const start = performance.now();
    const before = await read();
    const known = before?.manifests ?? [];
    if (has(known, change)) return;
    const next = apply(known, change);
    if (next.length > 0) {
      const list = canonicalJson({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: next });
      await client.putManifest(repository, tag, list, mediaTypes.index);
    } else if (before) await removeList(client, repository, tag, before.digest);
    // A writer that read the list before this change overwrites it soon: it takes about as long as this one, twice as long if it is slow.
    await delay(2 * (performance.now() - start));
    const after = await read();
    if (has(after?.manifests ?? [], change)) {
      if (before && next.length > 0 && after?.digest !== before.digest)
        await removeUnused(client, repository, before.digest);
      return;
    }
    await delay(Math.random() * longestWait);
  }
  throw new Failure(
    { code: "registry-failed", culprit: `${client.registry}/${repository}` },
    `The list of what refers to ${subject} in ${client.registry}/${repository} did not keep a change after ${attempts} attempts.`,
    "Run the command again when nobody else attaches something to this image.",
  );
}

function has(manifests: readonly Descriptor[], { add = [], remove = [] }: Change): boolean {
  const digests = new Set(manifests.map(({ digest }) => digest));
  return add.every(({ digest }) => digests.has(digest)) && !remove.some((digest) => digests.has(digest));
}

function apply(known: readonly Descriptor[], { add = [], remove = [] }: Change): readonly Descriptor[] {
  const added = add.filter(({ digest }) => !known.some((each) => each.digest === digest));
  return [...known, ...added].filter(({ digest }) => !remove.includes(digest));
}

/** Some registries delete manifests, but no tags. In others, a tag outlives its manifest. */
async function removeList(client: RegistryClient, repository: string, tag: string, digest: Digest): Promise<void> {
  await client.deleteManifest(repository, tag).catch((error) => {
    if (!(error instanceof Unsupported)) throw error;
  });
  await client.deleteManifest(repository, digest);
}

/** Removes the list that was replaced, if the registry deletes at all. */
async function removeUnused(client: RegistryClient, repository: string, digest: Digest): Promise<void> {
  await client.deleteManifest(repository, digest).catch(() => {});
}
