import { createHash } from "node:crypto";
import type { Digest } from "../oci/digest.ts";
import { splitDigest } from "../oci/digest.ts";
import { canonicalJson, type JsonNode, parseJson } from "../oci/json.ts";
import { isSignedBy, type PublicKey, type SigningKey } from "./keys.ts";

/** Sigstore's bundle. Also the type of the artifact. */
export const bundleType = "application/vnd.dev.sigstore.bundle.v0.3+json";

/** The predicate that only says "signed", as cosign writes it. */
export const signatureType = "https://sigstore.dev/cosign/sign/v1";

/** On a bundle's manifest. */
export const predicateAnnotation = "dev.sigstore.bundle.predicateType";

export const statementType = "application/vnd.in-toto+json";

/** Signatures of an envelope that are checked. Tools write one. */
const mostSignatures = 8;

/** @param predicate keeps its order. Default: the image is signed */
export function composeStatement(image: Digest, predicateType = signatureType, predicate: unknown = {}): Uint8Array {
  const { algorithm, hex } = splitDigest(image);
  const subject = [{ digest: { [algorithm]: hex } }];
  return Buffer.from(JSON.stringify({ _type: "https://in-toto.io/Statement/v1", subject, predicateType, predicate }));
}

export async function composeBundle(statement: Uint8Array, key: SigningKey): Promise<Uint8Array> {
  const signature = await key.sign(Buffer.concat(signedBytes(statementType, statement)));
  const der = key.publicKey.key.export({ format: "der", type: "spki" });
  return canonicalJson({
    mediaType: bundleType,
    verificationMaterial: { publicKey: { hint: createHash("sha256").update(der).digest("base64") } },
    dsseEnvelope: {
      payload: Buffer.from(statement).toString("base64"),
      payloadType: statementType,
      signatures: [{ sig: signature.toString("base64") }],
    },
  });
}

/** Unverified. */
export interface Claim {
  readonly payloadType: string;
  readonly payload: Buffer;
  readonly signatures: readonly Buffer[];
  readonly document: string;
}

/** In-toto attestation framework 1.0, "Statement". */
export interface Statement {
  readonly predicateType: string;
  readonly predicate: JsonNode;
  readonly subjects: readonly string[];
}

const remedy = "Sign the image again.";
const identity = { code: "signature-invalid" };

/** Reads the envelope in a bundle, or an envelope alone. @throws UserError if it is damaged or missing */
export function readClaim(bytes: Uint8Array, document: string, isEnvelope = false): Claim {
  const node = parseJson(bytes, document, remedy, identity);
  const envelope = isEnvelope ? node : node.get("dsseEnvelope");
  return {
    payloadType: envelope.get("payloadType").string(),
    payload: Buffer.from(envelope.get("payload").string(), "base64"),
    signatures: envelope
      .get("signatures")
      .items()
      .slice(0, mostSignatures)
      .map((each) => Buffer.from(each.get("sig").string(), "base64")),
    document,
  };
}

/** Parsed, it has many times its size: verify the claim first. @throws UserError if it is damaged */
export function readStatement({ payload, document }: Claim): Statement {
  const statement = parseJson(payload, `Statement in ${document}`, remedy, identity);
  const subjects = statement
    .get("subject")
    .items()
    .flatMap((subject) =>
      Object.entries(subject.get("digest").stringMap()).map(([algorithm, hex]) => `${algorithm}:${hex}`),
    );
  return {
    predicateType: statement.get("predicateType").string(),
    predicate: statement.get("predicate"),
    subjects,
  };
}

/** The reason why a bundle is not signed with the key. Undefined: it is. */
export function refuteClaim({ payloadType, payload, signatures }: Claim, key: PublicKey): string | undefined {
  const signed = signedBytes(payloadType, payload);
  return signatures.some((signature) => isSignedBy(key, signed, signature))
    ? undefined
    : "it is not by this key, or changed";
}

export function refuteSubject({ subjects }: Statement, image: Digest): string | undefined {
  if (subjects.includes(image)) return undefined;
  const others = subjects.length > 3 ? `, and ${subjects.length - 3} more` : "";
  return `it signs ${subjects.slice(0, 3).join(", ") || "nothing"}${others}`;
}

/** DSSE 1.0, "Protocol", PAE. */
function signedBytes(type: string, payload: Uint8Array): Uint8Array[] {
  return [Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `), payload];
}
