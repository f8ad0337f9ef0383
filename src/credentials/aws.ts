import { ECRClient, GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { PasswordCredential } from "./credential.ts";
import type { EcrRegistry } from "./ecr-host.ts";

/** Milliseconds. */
export const requestHandler = { connectionTimeout: 5_000, requestTimeout: 15_000 } as const;

type SdkError = Partial<NodeJS.ErrnoException> & { readonly $metadata?: { readonly httpStatusCode?: number } };

/** Of any AWS request: no credentials, no region, no connection. */
export function explainAwsError(error: unknown) {
  const { name = "", message = "", code = "", $metadata } = error as SdkError;
  const status = $metadata?.httpStatusCode;
  if (name === "CredentialsProviderError" || /could not load credentials/i.test(message)) {
    return {
      problem: "no AWS credentials were found",
      remedy: "Log in with `aws sso login`, set AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    };
  }
  if (/region (is missing|not accepted)/i.test(message)) {
    return { problem: "no AWS region is known", remedy: "Give --region, or set AWS_REGION." };
  }
  if (/ExpiredToken|UnrecognizedClient|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch/.test(name)) {
    return { problem: `AWS does not accept your AWS credentials (${name})`, remedy: "Log in to AWS again." };
  }
  if (/AccessDenied|NotAuthorized|UnauthorizedOperation/.test(name) || status === 403) {
    return {
      problem: `AWS denies it (${status === undefined ? name : `${status} ${name}`})`,
      remedy: "Ask whoever runs the AWS account for the permission, or use another AWS_PROFILE.",
    };
  }
  return {
    problem: `AWS did not answer as it should (${code || name || "unknown error"})`,
    remedy: "Check the region and the way to AWS, then try again.",
  };
}

/** A login to a private ECR registry, valid for twelve hours. @throws Error with a message of one line */
export async function exchangeForEcr(
  registry: EcrRegistry,
): Promise<{ readonly credential: PasswordCredential; readonly expiresAt?: Date }> {
  const client = new ECRClient({ region: registry.region, useFipsEndpoint: registry.fips, requestHandler });
  try {
    const { authorizationData } = await client.send(new GetAuthorizationTokenCommand({}));
    const [data] = authorizationData ?? [];
    const pair = Buffer.from(data?.authorizationToken ?? "", "base64").toString("utf8");
    const colon = pair.indexOf(":");
    if (colon < 1) throw new TypeError("no token in the answer");
    return {
      credential: { kind: "password", username: pair.slice(0, colon), password: pair.slice(colon + 1) },
      ...(data?.expiresAt === undefined ? {} : { expiresAt: data.expiresAt }),
    };
  } catch (cause) {
    const { problem, remedy } = explainAwsError(cause);
    throw new Error(`${problem}; ${remedy.charAt(0).toLowerCase()}${remedy.slice(1, -1)}`, { cause });
  } finally {
    client.destroy();
  }
}

/** By this machine's AWS configuration. `fail` throws the error for a secret that cannot be read. */
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
