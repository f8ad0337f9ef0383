import { Failure } from "../core/errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { parseJson } from "../oci/json.ts";
import { formatReference } from "../oci/reference.ts";
import { type RegistryClient, referrersTag } from "../registry/client/client.ts";
import { readStatement, refuteClaim, refuteSubject, type Statement, signatureType, statementType } from "./bundle.ts";
import {
  bundlesOf,
  type FetchedBundle,
  type FoundSignature,
  fetchLayers,
  type ListedBundle,
  orError,
  smallBundle,
} from "./fetch-bundles.ts";
import { isSignedBy, type PublicKey } from "./keys.ts";

/** Bundles that are looked at for further valid ones. */
const enough = 100;

/** By a key or an identity. */
export interface Judge {
  readonly name: string;
  /** Undefined: it verifies no formats that have a key alone. */
  readonly key?: PublicKey;
  /** After so many bundles, one that is valid is enough. Default: 100. */
  readonly enough?: number;
  /** The reason why a bundle is by another signer. */
  refute(bundle: FetchedBundle): string | undefined;
}

export type Verifier = PublicKey | Judge;

/** Errors of the registry only count if no signature is valid. */
export interface Verdict<Found extends FoundSignature = FoundSignature> {
  readonly verified: readonly Found[];
  readonly refused: readonly (FoundSignature & { readonly reason: string })[];
  readonly failure?: Failure;
}

export function judgeOf(by: Verifier): Judge {
  if ("refute" in by) return by;
  return { name: by.name, key: by, refute: ({ claim }) => refuteClaim(claim, by) };
}

/**
 * Verifies by a bundle that refers to the image, or the image under the tag `sha256-HEX.sig`, as cosign writes them.
 * @param image its digest. The caller has verified that the image has it
 * @throws Failure that names the image and the key
 */
export async function verifyImage(
  client: RegistryClient,
  repository: string,
  image: Digest,
  by: Verifier,
): Promise<readonly FoundSignature[]> {
  const { verified, refused, failure } = await findSignatures(client, repository, image, by);
  if (verified.length > 0) return verified;
  if (failure) throw failure;
  const name = formatReference({ registry: client.registry, repository, digest: image });
  throw unverified(name, judgeOf(by).name, refused);
}

/** `what`: what the image should have. */
export function unverified(image: string, key: string, refused: Verdict["refused"], what = "signature"): Failure {
  const remedy =
    what === "signature"
      ? `Sign it with \`slipway image sign ${image} --key FILE\`, or correct the key.`
      : "Push the image with a key under `images` of the configuration file, or attach one with `cosign attest`.";
  const [first] = refused;
  if (!first) {
    return new Failure({ code: "signature-missing", culprit: image }, `${image} has no ${what} by ${key}.`, remedy);
  }
  const others = refused.length > 1 ? `, and ${refused.length - 1} more` : "";
  return new Failure(
    { code: "signature-invalid", culprit: image },
    `No ${what} of ${image} is valid for ${key}: ${first.digest} is refused because ${first.reason}${others}.`,
    remedy,
  );
}

export async function findSignatures(
  client: RegistryClient,
  repository: string,
  image: Digest,
  by: Verifier,
): Promise<Verdict> {
  const judge = judgeOf(by);
  const { key } = judge;
  const found = await judgeBundles(
    bundlesOf(client, repository, image, signatureType),
    image,
    signatureType,
    judge,
    (_, signature) => signature,
  );
  if (!key || found.verified.length > 0) return found;
  const payloads = judgeEach(
    fetchLayers(client, repository, `${referrersTag(image)}.sig`, payloadType),
    ({ layer: { digest } }) => ({ digest, mediaType: payloadType }),
    async ({ layer, read }, signature) => refutePayload(await read(), layer, image, key) ?? signature,
  );
  return merge(found, await payloads);
}

/** One by one, and keeps none of those that are refused. Skips those of another type than `predicateType`. */
export function judgeBundles<Found extends FoundSignature = FoundSignature>(
  bundles: AsyncIterable<ListedBundle>,
  image: Digest,
  predicateType: string,
  judge: Judge,
  accept: (statement: Statement, signature: FoundSignature) => Found | string,
): Promise<Verdict<Found>> {
  return judgeEach(
    bundles,
    ({ digest, mediaType }) => ({ digest, mediaType }),
    async ({ read }, signature) => {
      const bundle = await read();
      const { claim } = bundle;
      if (claim.payloadType !== statementType) return `its content has the type ${claim.payloadType}`;
      const reason = judge.refute(bundle);
      if (reason !== undefined) {
        // Frees its memory at once. V8 would let several large ones gather.
        for (const { buffer, length } of [bundle.bytes, claim.payload])
          if (length > smallBundle) (buffer as ArrayBuffer).transfer(0);
        return reason;
      }
      const statement = readStatement(claim);
      if (statement.predicateType !== predicateType) return undefined;
      return refuteSubject(statement, image) ?? accept(statement, signature);
    },
    judge.enough,
  );
}

export function merge<Found extends FoundSignature>(one: Verdict<Found>, other: Verdict<Found>): Verdict<Found> {
  const failure = one.failure ?? other.failure;
  return {
    verified: [...one.verified, ...other.verified],
    refused: [...one.refused, ...other.refused],
    ...(failure ? { failure } : {}),
  };
}

/** `judge` returns what is valid, the reason why it is not, or undefined for what does not count. */
async function judgeEach<Item, Found extends FoundSignature>(
  items: AsyncIterable<Item>,
  describe: (item: Item) => FoundSignature,
  judge: (item: Item, signature: FoundSignature) => Promise<Found | string | undefined>,
  most = enough,
): Promise<Verdict<Found>> {
  const verified: Found[] = [];
  const refused: (FoundSignature & { readonly reason: string })[] = [];
  let failure: Failure | undefined;
  for await (const item of items) {
    const signature = describe(item);
    const judged = await orError(() => judge(item, signature));
    if (judged === undefined) continue;
    if (judged instanceof Failure) failure ??= judged;
    if (typeof judged === "string") refused.push({ ...signature, reason: judged });
    else if (judged instanceof Error) refused.push({ ...signature, reason: judged.problem.replace(/\.$/, "") });
    else verified.push(judged);
    if (verified.length > 0 && verified.length + refused.length >= most) break;
  }
  return { verified, refused, ...(failure ? { failure } : {}) };
}

/** What cosign signed before version 3, in an image under the tag `sha256-HEX.sig`. */
export const payloadType = "application/vnd.dev.cosign.simplesigning.v1+json";

/** On the payload's descriptor. */
const signatureKey = "dev.cosignproject.cosign/signature";

/** Cosign's SIGNATURE_SPEC.md, "Simple Signing". Returns the reason against it. @throws UserError if it is damaged */
export function refutePayload(
  payload: Uint8Array,
  { annotations }: Pick<Descriptor, "annotations">,
  image: Digest,
  key: PublicKey,
): string | undefined {
  const signature = annotations?.[signatureKey];
  if (signature === undefined) return "its signature is missing";
  if (!isSignedBy(key, [payload], Buffer.from(signature, "base64"))) return "it is not by this key, or changed";
  const remedy = "Sign the image again.";
  const node = parseJson(payload, "The payload of a signature", remedy, { code: "signature-invalid" });
  const signed = node.get("critical").get("image").get("docker-manifest-digest").string();
  return signed === image ? undefined : `it signs ${signed}`;
}
