import { ECRClient, GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import { explainAwsError, requestHandler } from "./aws.ts";
import type { PasswordCredential } from "./credential.ts";
import type { EcrRegistry } from "./ecr-host.ts";

/**
 * Exchanges this machine's AWS credentials for a login to a private ECR registry, valid for twelve hours.
 *
 * @throws Error with a message of one line
 */
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
