import { createHash } from "node:crypto";
import type { Digest } from "../../oci/digest.ts";
import { splitDigest } from "../../oci/digest.ts";
import { canonicalJson, parseJson } from "../../oci/json.ts";
import { isSignedBy, type PublicKey, type SigningKey } from "./keys.ts";

/** Sigstore's bundle: signature, statement, and what is needed to verify them. Also the type of the artifact. */
export const bundleType = "application/vnd.dev.sigstore.bundle.v0.3+json";

/** The predicate of a statement that only says "signed", as cosign writes it. */
export const signatureType = "https://sigstore.dev/cosign/sign/v1";

/** The type of an in-toto statement in its envelope. */
export const statementType = "application/vnd.in-toto+json";

/** The in-toto statement that an image is signed: in-toto attestation framework 1.0, "Statement". */
export function composeStatement(image: Digest): Buffer {
  const { algorithm, hex } = splitDigest(image);
  return Buffer.from(
    canonicalJson({
      _type: "https://in-toto.io/Statement/v1",
      subject: [{ digest: { [algorithm]: hex } }],
      predicateType: signatureType,
      predicate: {},
    }),
  );
}

/** Signs an image by its digest. */
export async function composeBundle(image: Digest, key: SigningKey): Promise<Uint8Array> {
  const payload = composeStatement(image);
  const signature = await key.sign(signedBytes(statementType, payload));
  const der = key.publicKey.key.export({ format: "der", type: "spki" });
  return canonicalJson({
    mediaType: bundleType,
    verificationMaterial: { publicKey: { hint: createHash("sha256").update(der).digest("base64") } },
    dsseEnvelope: {
      payload: payload.toString("base64"),
      payloadType: statementType,
      signatures: [{ sig: signature.toString("base64") }],
    },
  });
}

/** The claims of a bundle, unverified. */
export interface Claim {
  readonly payloadType: string;
  readonly payload: Buffer;
  readonly signatures: readonly Buffer[];
  readonly predicateType: string;
  /** Digests of the subjects. */
  readonly subjects: readonly string[];
}

/**
 * Reads a bundle with an in-toto statement.
 *
 * @throws UserError if it is damaged, or has no statement
 */
export function readClaim(bytes: Uint8Array, document: string): Claim {
  const identity = { code: "signature-invalid" };
  const remedy = "Sign the image again.";
  const envelope = parseJson(bytes, document, remedy, identity).get("dsseEnvelope");
  const payload = Buffer.from(envelope.get("payload").string(), "base64");
  const statement = parseJson(payload, `Statement in ${document}`, remedy, identity);
  const subjects = statement
    .get("subject")
    .items()
    .flatMap((subject) =>
      Object.entries(subject.get("digest").stringMap()).map(([algorithm, hex]) => `${algorithm}:${hex}`),
    );
  return {
    payloadType: envelope.get("payloadType").string(),
    payload,
    signatures: envelope
      .get("signatures")
      .items()
      .map((each) => Buffer.from(each.get("sig").string(), "base64")),
    predicateType: statement.get("predicateType").string(),
    subjects,
  };
}

/**
 * Checks that a bundle signs an image with a key.
 *
 * @returns the reason why it does not. Undefined: it does
 */
export function refuteClaim(claim: Claim, image: Digest, key: PublicKey): string | undefined {
  const { payloadType, payload, signatures, subjects } = claim;
  if (payloadType !== statementType) return `its content has the type ${payloadType}`;
  const signed = signedBytes(payloadType, payload);
  if (!signatures.some((signature) => isSignedBy(key, signed, signature))) return "it is not by this key, or changed";
  if (!subjects.includes(image)) return `it signs ${subjects.join(", ") || "nothing"}`;
  return undefined;
}

/** The bytes under a signature: DSSE 1.0, "Protocol", PAE. */
function signedBytes(type: string, payload: Uint8Array): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}
