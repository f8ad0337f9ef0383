import type { AwsKey, AwsKeyName } from "./aws-kms.ts";

/** Opens a key in AWS KMS: `openAwsKey`, which is loaded only when it is needed. */
export async function openKmsKey(
  name: AwsKeyName,
  fail: (problem: string, remedy: string, cause?: unknown) => never,
): Promise<AwsKey> {
  const { openAwsKey } = await import("./aws-clients.mjs");
  return openAwsKey(name, fail);
}
