import type { AwsKey, AwsKeyName } from "./aws-kms.ts";

export async function openKmsKey(
  name: AwsKeyName,
  fail: (problem: string, remedy: string, cause?: unknown) => never,
): Promise<AwsKey> {
  const { openAwsKey } = await import("./aws-clients.mjs");
  return openAwsKey(name, fail);
}
