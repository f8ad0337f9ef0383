import type { Descriptor } from "../oci/descriptor.ts";
import { sha256 } from "../oci/digest.ts";
import type { RegistryClient } from "../registry/client/client.ts";
import type { ImageOutcome } from "../registry/client/push.ts";
import type { PushedBlobs } from "../registry/client/pushed-blobs.ts";
import type { BuiltImage } from "./image.ts";
import type { RequestedReferrer } from "./request.ts";

/** Annotations by artifact type, by which tools choose without reading the content (in-toto attestation framework, "predicate type"). */
const annotationsOf: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "application/vnd.in-toto+json": { "in-toto.io/predicate-type": "https://slsa.dev/provenance/v1" },
};

/** The destination of an image, and what earlier pushes put there. */
export interface AttachTarget {
  readonly client: RegistryClient;
  readonly repository: string;
  readonly pushedBlobs: PushedBlobs;
  /** Resolves when the registry has the image. */
  readonly stored: Promise<unknown>;
}

/** An image, or one of an index, and the documents about it. */
interface Subject {
  readonly descriptor: Descriptor;
  readonly referrers: readonly RequestedReferrer[];
}

/**
 * Attaches the documents about an image to it. A registry stores them before the image, too (distribution specification 1.1, "Pushing Manifests with
 * Subject"), so they cost a push no time of their own. A registry that refuses that gets them again after the image.
 *
 * A new image gets all of them. One that the registry had, from a launch for example, gets those of a type that it lacks. A push remembers for a day
 * that an image has its documents, so the next one asks nothing.
 *
 * @throws UserError or Failure of the registry
 */
export async function attachDocuments(image: BuiltImage, outcome: ImageOutcome, target: AttachTarget): Promise<void> {
  const attach = (isNew: boolean) =>
    Promise.all(subjectsOf(image).map((subject) => attachTo(subject, image, isNew, target)));
  if (outcome !== "pushed") await attach(false);
  else {
    await attach(true).catch(async () => {
      await target.stored;
      await attach(false);
    });
  }
}

/** Tells if an image has documents to attach. */
export function hasDocuments({ requested }: BuiltImage): boolean {
  return [requested, ...requested.children].some(({ referrers = [] }) => referrers.length > 0);
}

function subjectsOf(image: BuiltImage): Subject[] {
  const images = image.requested.children.length > 0 ? [image, ...image.children] : [image];
  return images
    .map(({ descriptor, requested }) => ({ descriptor, referrers: requested.referrers ?? [] }))
    .filter(({ referrers }) => referrers.length > 0);
}

async function attachTo(subject: Subject, image: BuiltImage, isNew: boolean, target: AttachTarget): Promise<void> {
  const { descriptor, referrers } = subject;
  const { client, repository, pushedBlobs } = target;
  const account = await client.account(repository);
  const mark = markOf(subject);
  if (!isNew && account !== undefined && pushedBlobs.seenIn(account, repository).has(mark)) return;
  const { attachReferrer, listReferrers } = await import("../registry/referrers.ts");
  const listed = isNew ? [] : await listReferrers(client, repository, descriptor.digest);
  const present = new Set(listed.map(({ artifactType }) => artifactType));
  await Promise.all(
    referrers
      .filter(({ artifactType }) => !present.has(artifactType))
      .map(({ file, artifactType }) => {
        const annotations = annotationsOf[artifactType];
        const content = image.document(file);
        const artifact = { artifactType, mediaType: artifactType, content, ...(annotations ? { annotations } : {}) };
        return attachReferrer(client, repository, descriptor, artifact, { isNew });
      }),
  );
  if (account !== undefined) pushedBlobs.add(account, repository, [mark]);
}

/** A digest that stands for an image with documents of these types, among the blobs that pushes remember. */
function markOf({ descriptor, referrers }: Subject): string {
  return sha256([descriptor.digest, ...referrers.map(({ artifactType }) => artifactType).sort()].join("\n"));
}
