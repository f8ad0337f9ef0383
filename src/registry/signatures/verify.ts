import { Failure, UserError } from "../../core/errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { parseImageManifest } from "../../oci/manifest.ts";
import { formatReference } from "../../oci/reference.ts";
import type { RegistryClient } from "../client/client.ts";
import { bundleType, type Claim, readClaim, refuteClaim, signatureType } from "./bundle.ts";
import type { PublicKey } from "./keys.ts";
import { payloadType, refutePayload, signatureTag } from "./simple-signing.ts";

/** The number of signatures of an image that are read, at most: each takes two requests. */
const mostSignatures = 100;

/** A signature in a registry. */
export interface FoundSignature {
  /** Of the artifact with the signature. */
  readonly digest: Digest;
  /** The format: a bundle, or the payload of cosign before version 3. */
  readonly mediaType: string;
}

interface Verdict {
  readonly verified: readonly FoundSignature[];
  readonly refused: readonly (FoundSignature & { readonly reason: string })[];
}

/**
 * Verifies that an image or index is signed with a key: by a bundle that refers to it, or by an image under the tag `sha256-HEX.sig`. Both are
 * what cosign writes and verifies.
 *
 * @param image its digest. The caller has verified that the image has it
 * @throws Failure that names the image and the key
 */
export async function verifyImage(
  client: RegistryClient,
  repository: string,
  image: Digest,
  key: PublicKey,
): Promise<readonly FoundSignature[]> {
  const { verified, refused } = await findSignatures(client, repository, image, key);
  if (verified.length > 0) return verified;
  const name = formatReference({ registry: client.registry, repository, digest: image });
  throw unverified(name, key.name, refused);
}

/** The error for an image without a valid signature. */
export function unverified(image: string, key: string, refused: Verdict["refused"]): Failure {
  const remedy = `Sign it with \`slipway image sign ${image} --key FILE\`, or correct the key.`;
  const [first] = refused;
  if (!first) {
    return new Failure({ code: "signature-missing", culprit: image }, `${image} has no signature by ${key}.`, remedy);
  }
  const others = refused.length > 1 ? `, and ${refused.length - 1} more` : "";
  return new Failure(
    { code: "signature-invalid", culprit: image },
    `No signature of ${image} is valid for ${key}: ${first.digest} is refused because ${first.reason}${others}.`,
    remedy,
  );
}

/** Reads an image's signatures and verifies each with a key. */
export async function findSignatures(
  client: RegistryClient,
  repository: string,
  image: Digest,
  key: PublicKey,
): Promise<Verdict> {
  const [bundles, payloads] = await Promise.all([
    fetchBundles(client, repository, image),
    fetchPayloads(client, repository, image),
  ]);
  const judged = [
    ...bundles.map(({ claim, digest, mediaType }) => ({
      digest,
      mediaType,
      reason: typeof claim === "string" ? claim : refuteClaim(claim, image, key),
    })),
    ...payloads.map(({ bytes, layer, digest }) => ({
      digest,
      mediaType: payloadType,
      reason: orReason(() => refutePayload(bytes, layer, image, key)),
    })),
  ];
  return {
    verified: judged.filter(({ reason }) => reason === undefined),
    refused: judged.flatMap((each) => (each.reason === undefined ? [] : [{ ...each, reason: each.reason }])),
  };
}

/** A bundle that claims to be a signature, and its content. */
export interface FetchedBundle extends FoundSignature {
  readonly bytes: Buffer;
  /** A text: the reason why it cannot be read. */
  readonly claim: Claim | string;
}

/** Fetches the bundles that sign an image. Leaves out statements about something else, such as provenance. */
export async function fetchBundles(
  client: RegistryClient,
  repository: string,
  image: Digest,
): Promise<FetchedBundle[]> {
  const listed = await client.referrers(repository, image, bundleType);
  const found = await Promise.all(
    listed.slice(0, mostSignatures).map(async ({ digest }): Promise<FetchedBundle[]> => {
      const stored = await client.getManifest(repository, digest);
      if (!stored) return [];
      const manifest = orReason(() => parseImageManifest(stored.bytes));
      if (typeof manifest === "string")
        return [{ digest, mediaType: bundleType, bytes: stored.bytes, claim: manifest }];
      const [layer] = manifest.layers;
      if (manifest.subject?.digest !== image || layer?.mediaType !== bundleType) return [];
      const bytes = await client.readBlob(repository, layer, "signature");
      const claim = orReason(() => readClaim(bytes, `Signature ${digest}`));
      if (typeof claim !== "string" && claim.predicateType !== signatureType) return [];
      return [{ digest, mediaType: bundleType, bytes, claim }];
    }),
  );
  return found.flat();
}

async function fetchPayloads(
  client: RegistryClient,
  repository: string,
  image: Digest,
): Promise<{ readonly bytes: Buffer; readonly layer: Descriptor; readonly digest: Digest }[]> {
  const stored = await client.getManifest(repository, signatureTag(image));
  if (!stored) return [];
  const layers = parseImageManifest(stored.bytes).layers.filter(({ mediaType }) => mediaType === payloadType);
  return Promise.all(
    layers.slice(0, mostSignatures).map(async (layer) => {
      return { bytes: await client.readBlob(repository, layer, "signature"), layer, digest: layer.digest };
    }),
  );
}

/** The result, or the problem of a damaged document as a text. */
function orReason<T>(read: () => T): T | string {
  try {
    return read();
  } catch (error) {
    if (error instanceof UserError) return error.problem.replace(/\.$/, "");
    throw error;
  }
}
