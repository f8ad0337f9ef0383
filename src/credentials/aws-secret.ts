import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { explainAwsError, requestHandler } from "./aws.ts";

/**
 * Reads the text of a secret from AWS Secrets Manager, with this machine's AWS configuration.
 *
 * @param fail throws the error for a secret that cannot be read, given problem and remedy
 */
export async function readAwsSecret(
  { secret, region }: { readonly secret: string; readonly region?: string },
  fail: (problem: string, remedy?: string) => never,
): Promise<string> {
  const client = new SecretsManagerClient({ ...(region === undefined ? {} : { region }), requestHandler });
  let text: string | undefined;
  try {
    text = (await client.send(new GetSecretValueCommand({ SecretId: secret }))).SecretString;
  } catch (error) {
    if ((error as Error).name === "ResourceNotFoundException") {
      const where = await client.config.region();
      return fail(`does not exist in region ${where}`, "Check its name and its region: --region, or AWS_REGION.");
    }
    const { problem, remedy } = explainAwsError(error);
    return fail(`cannot be read: ${problem}`, remedy);
  } finally {
    client.destroy();
  }
  if (text === undefined) return fail("holds binary data instead of JSON");
  return text;
}
