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

/** In-toto attestation framework 1.0, "Statement". @param predicate keeps its order. Default: the image is signed */
export function composeStatement(image: Digest, predicateType = signatureType, predicate: unknown = {}): Uint8Array {
  const { algorithm, hex } = splitDigest(image);
  const subject = [{ digest: { [algorithm]: hex } }];
  return Buffer.from(JSON.stringify({ _type: "https://in-toto.io/Statement/v1", subject, predicateType, predicate }));
}

export async function composeBundle(statement: Uint8Array, key: SigningKey): Promise<Uint8Array> {
  const signature = await key.sign(signedBytes(statementType, statement));
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
  readonly predicateType: string;
  readonly predicate: JsonNode;
  readonly subjects: readonly string[];
}

/** Reads an in-toto statement in a bundle, or in an envelope alone. @throws UserError if it is damaged or missing */
export function readClaim(bytes: Uint8Array, document: string, isEnvelope = false): Claim {
  const identity = { code: "signature-invalid" };
  const remedy = "Sign the image again.";
  const node = parseJson(bytes, document, remedy, identity);
  const envelope = isEnvelope ? node : node.get("dsseEnvelope");
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
      .slice(0, mostSignatures)
      .map((each) => Buffer.from(each.get("sig").string(), "base64")),
    predicateType: statement.get("predicateType").string(),
    predicate: statement.get("predicate"),
    subjects,
  };
}

/** The reason why a bundle is not about the image or not signed with the key. Undefined: it is. */
export function refuteClaim(claim: Claim, image: Digest, key: PublicKey): string | undefined {
  const { payloadType, payload, signatures } = claim;
  if (payloadType !== statementType) return `its content has the type ${payloadType}`;
  const signed = signedBytes(payloadType, payload);
  if (!signatures.some((signature) => isSignedBy(key, signed, signature))) return "it is not by this key, or changed";
  return refuteSubject(claim, image);
}

export function refuteSubject({ subjects }: Claim, image: Digest): string | undefined {
  if (subjects.includes(image)) return undefined;
  const others = subjects.length > 3 ? `, and ${subjects.length - 3} more` : "";
  return `it signs ${subjects.slice(0, 3).join(", ") || "nothing"}${others}`;
}

/** DSSE 1.0, "Protocol", PAE. */
function signedBytes(type: string, payload: Uint8Array): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}
