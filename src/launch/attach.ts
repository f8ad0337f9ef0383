import type { Descriptor } from "../oci/descriptor.ts";
import { sha256 } from "../oci/digest.ts";
import type { RegistryClient } from "../registry/client/client.ts";
import type { ImageOutcome } from "../registry/client/push.ts";
import type { PushedBlobs } from "../registry/client/pushed-blobs.ts";
import type { Signer } from "../signatures/rules.ts";
import type { BuiltImage } from "./image.ts";
import type { RequestedReferrer } from "./request.ts";

const inToto = "application/vnd.in-toto+json";

const predicateTypes: Readonly<Record<string, string>> = {
  [inToto]: "https://slsa.dev/provenance/v1",
  "application/spdx+json": "https://spdx.dev/Document",
  "application/vnd.cyclonedx+json": "https://cyclonedx.org/bom",
};

export interface AttachTarget {
  readonly client: RegistryClient;
  readonly repository: string;
  readonly host: string;
  readonly pushedBlobs: PushedBlobs;
  readonly stored: Promise<unknown>;
}

interface Subject {
  readonly descriptor: Descriptor;
  readonly referrers: readonly RequestedReferrer[];
}

/**
 * Attaches documents as signed attestations if the configuration file has a key for the repository. A new image gets
 * all documents, another one those of a type that it lacks. A push remembers for a day that an image has them.
 *
 * Most registries store them before the image (distribution specification 1.1, "Pushing Manifests with Subject"), so
 * they cost no time. A registry that refuses that gets them again after it.
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
  const { client, repository, host, pushedBlobs } = target;
  const { signerFor } = await import("../signatures/rules.ts");
  const signer = await signerFor({ registry: host, repository });
  const referrers = subject.referrers.filter(({ isUnstamped }) => signer || !isUnstamped);
  if (referrers.length === 0) return;
  const account = await client.account(repository);
  const mark = markOf({ ...subject, referrers }, signer);
  if (!isNew && account !== undefined && pushedBlobs.seenIn(account, repository).has(mark)) return;
  const attach = signer ? await signedAttacher(subject, signer, target) : await plainAttacher(subject, isNew, target);
  await Promise.all(referrers.map((each) => attach(each, image.document(each.file), isNew)));
  if (account !== undefined) pushedBlobs.add(account, repository, [mark]);
}

type Attach = (referrer: RequestedReferrer, content: Buffer, isNew: boolean) => Promise<unknown>;

async function plainAttacher({ descriptor }: Subject, isNew: boolean, target: AttachTarget): Promise<Attach> {
  const { client, repository } = target;
  const { attachReferrer } = await import("../registry/referrers.ts");
  const listed = isNew ? [] : await client.referrers(repository, descriptor.digest);
  return async ({ artifactType }, content) => {
    const predicateType = predicateTypes[artifactType];
    const isPresent = listed.some(
      (each) =>
        each.artifactType === artifactType ||
        (predicateType && each.annotations?.["dev.sigstore.bundle.predicateType"] === predicateType),
    );
    if (isPresent) return;
    // Tools choose by it (in-toto attestation framework, "predicate type").
    const annotations = artifactType === inToto ? { "in-toto.io/predicate-type": predicateType as string } : undefined;
    const artifact = { artifactType, mediaType: artifactType, content, ...(annotations ? { annotations } : {}) };
    await attachReferrer(client, repository, descriptor, artifact, { isNew });
  };
}

/** Skips types of which the image has an attestation by the same key. */
async function signedAttacher({ descriptor }: Subject, signer: Signer, target: AttachTarget): Promise<Attach> {
  const { client, repository } = target;
  const [{ attest, findAttestations, sourceOf }, { composeStatement }, { parseJson }, key] = await Promise.all([
    import("../signatures/attestations.ts"),
    import("../signatures/bundle.ts"),
    import("../oci/json.ts"),
    signer.key(),
  ]);
  const { digest } = descriptor;
  return async ({ file, artifactType, isUnstamped }, content, isNew) => {
    const predicateType = predicateTypes[artifactType] ?? artifactType;
    if (!isNew) {
      const { verified } = await findAttestations(client, repository, digest, key.publicKey, { type: predicateType });
      // Provenance without a source does not stand for one that names it.
      const needsSource = artifactType === inToto && !isUnstamped;
      if (verified.some(({ predicate }) => !needsSource || sourceOf(predicate))) return;
    }
    const statement =
      artifactType === inToto ? content : composeStatement(digest, predicateType, parseJson(content, file).value);
    await attest(client, repository, descriptor, statement, key, { isNew, predicateType });
  };
}

/** A digest that stands for an image with documents of these types, among the blobs that pushes remember. */
function markOf({ descriptor, referrers }: Subject, signer: Signer | undefined): string {
  const types = referrers.map(({ artifactType, isUnstamped }) => `${artifactType}${isUnstamped ? " unstamped" : ""}`);
  return sha256([descriptor.digest, ...types.sort(), ...(signer ? [`signed ${signer.source}`] : [])].join("\n"));
}
