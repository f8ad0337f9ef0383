import { GetPublicKeyCommand, KMSClient, SignCommand } from "@aws-sdk/client-kms";
import { explainAwsError, requestHandler } from "./aws.ts";

/** Those whose signatures cosign accepts. */
export type KmsAlgorithm = "ECDSA_SHA_256" | "RSASSA_PKCS1_V1_5_SHA_256";

export interface AwsKeyName {
  /** ID, alias with `alias/`, or ARN. */
  readonly id: string;
  /** Default: that of this machine's AWS configuration. */
  readonly region?: string | undefined;
  /** `HOST[:PORT]` that speaks KMS's API by TLS. Default: AWS. */
  readonly endpoint?: string | undefined;
}

/** It never leaves KMS. */
export interface AwsKey {
  /** DER, as SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  /** At most 4,096 bytes, which KMS hashes. */
  sign(message: Uint8Array, algorithm: KmsAlgorithm): Promise<Buffer>;
}

const otherKey = "Use a key that is enabled and has the usage SIGN_VERIFY.";

/** By this machine's AWS configuration. `fail` throws the error for a key that cannot be used. */
export async function openAwsKey(
  { id, region, endpoint }: AwsKeyName,
  fail: (problem: string, remedy: string, cause?: unknown) => never,
): Promise<AwsKey> {
  const client = new KMSClient({
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint: `https://${endpoint}` }),
    requestHandler,
  });
  const explain = async (error: unknown): Promise<never> => {
    const { name } = error as Error;
    if (name === "NotFoundException") {
      const remedy = "Check its name and AWS_REGION.";
      return fail(`does not exist in region ${await client.config.region()}`, remedy, error);
    }
    if (/^(UnsupportedOperation|InvalidKeyUsage|KMSInvalidState|Disabled|Validation)Exception$/.test(name)) {
      return fail(`cannot sign (${name})`, otherKey, error);
    }
    const { problem, remedy } = explainAwsError(error);
    const isRegion = problem === "no AWS region is known";
    return fail(`cannot be used: ${problem}`, isRegion ? "Set AWS_REGION, or name the key by its ARN." : remedy, error);
  };
  const found = await client.send(new GetPublicKeyCommand({ KeyId: id })).catch(explain);
  if (found.KeyUsage !== "SIGN_VERIFY" || !found.PublicKey) return fail(`has the usage ${found.KeyUsage}`, otherKey);
  return {
    publicKey: found.PublicKey,
    sign: async (message, algorithm) => {
      const request = { KeyId: id, Message: message, MessageType: "RAW", SigningAlgorithm: algorithm } as const;
      const { Signature: signature } = await client.send(new SignCommand(request)).catch(explain);
      return Buffer.from(signature ?? []);
    },
  };
}
