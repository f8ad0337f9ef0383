import { setTimeout as delay } from "node:timers/promises";
import { Failure } from "../../core/errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { canonicalJson } from "../../oci/json.ts";
import { mediaTypes } from "../../oci/media-types.ts";
import { type RegistryClient, referrersTag } from "./client.ts";
import { Unsupported } from "./refusal.ts";

interface Change {
  readonly add?: readonly Descriptor[];
  readonly remove?: readonly Digest[];
}

/** Writes of a list that other writers overwrite. */
const attempts = 20;

/** Milliseconds, so that writers on several machines move apart. */
const longestWait = 200;

const pending = new WeakMap<RegistryClient, Map<string, Promise<void>>>();

/**
 * For registries without the API ("Referrers Tag Schema"). They cannot compare and swap: this reads the list back after
 * a pause, and writes it again if another process replaced it, but not without end.
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
    } else if (before) {
      await removeTag(client, repository, tag);
      await client.deleteManifest(repository, before.digest);
    }
    // A writer that read the old list writes soon: it takes as long as this one, twice as long if it is slow.
    await delay(2 * (performance.now() - start));
    const after = await read();
    if (has(after?.manifests ?? [], change)) {
      if (before && next.length > 0 && after?.digest !== before.digest)
        await client.deleteManifest(repository, before.digest).catch(() => {});
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

/** Some registries delete manifests but no tags; in others, a tag outlives its manifest. */
export async function removeTag(client: RegistryClient, repository: string, tag: string): Promise<void> {
  await client.deleteManifest(repository, tag).catch((error) => {
    if (!(error instanceof Unsupported)) throw error;
  });
}
