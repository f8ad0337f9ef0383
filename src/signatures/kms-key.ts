import { createPublicKey, type KeyObject } from "node:crypto";
import { UserError } from "../core/errors.ts";
import type { KmsAlgorithm } from "../credentials/aws-kms.ts";
import { openKmsKey } from "../credentials/kms.ts";
import type { SigningKey } from "./signing-key.ts";

/** An optional endpoint, then an ID, an alias, or the ARN of either. */
const awsName =
  /^awskms:\/\/([^/]*)\/((?:mrk-)?[\dA-Fa-f-]{32,36}|alias\/.+|arn:aws[a-z-]*:kms:([a-z\d-]+):\d{12}:(?:key|alias)\/.+)$/;

/** By cosign's URI: `awskms://[ENDPOINT]/ID`, `…/alias/NAME`, or `…/ARN`. @throws UserError that names it */
export async function readKmsKey(source: string): Promise<SigningKey> {
  const fail = (problem: string, remedy: string, cause?: unknown): never => {
    throw new UserError({ code: "key-invalid", culprit: source }, `Key ${source} ${problem}.`, remedy, { cause });
  };
  const [, endpoint, id, region] = awsName.exec(source) ?? [];
  if (id === undefined)
    return fail("is not the name of a key in AWS KMS", "Write awskms:///alias/NAME, or an ID or ARN.");
  const { publicKey, sign } = await openKmsKey({ id, region, endpoint: endpoint || undefined }, fail);
  const key = createPublicKey({ key: Buffer.from(publicKey), format: "der", type: "spki" });
  const algorithm = algorithmFor(key);
  if (!algorithm) {
    return fail("has a type whose signatures by KMS cosign refuses", "Use a key with ECC_NIST_P256 or RSA.");
  }
  return {
    publicKey: { name: source, key },
    sign: (data) => sign(data, algorithm),
  };
}

/** With SHA-256: KMS signs with the larger curves by other hash functions only. */
function algorithmFor({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): KmsAlgorithm | undefined {
  if (asymmetricKeyType === "rsa") return "RSASSA_PKCS1_V1_5_SHA_256";
  return asymmetricKeyDetails?.namedCurve === "prime256v1" ? "ECDSA_SHA_256" : undefined;
}
