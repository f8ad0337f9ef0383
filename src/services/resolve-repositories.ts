import type { Environment } from "../core/environment.ts";
import type { GitAccess, GitPassword } from "../git/access.ts";
import { resolveHead } from "../git/remote.ts";
import { storedPassword } from "../git/stored.ts";
import type { SecretStore } from "../secrets/secrets.ts";
import type { Repository, Service } from "./model.ts";
import type { ServiceDocument } from "./read.ts";
import { isSameServer, requireOneLine } from "./repositories.ts";

/**
 * Pins the main branch's commit of each repository, so that restarts and new replicas get the same code.
 * Asks as this user, and with the service's password only if the user has none for the server.
 *
 * @param secrets undefined: only the user's own passwords
 */
export async function resolveRepositories(
  { service, error }: ServiceDocument,
  secrets: SecretStore | undefined,
  env: Environment,
): Promise<Service> {
  const { repositories } = service;
  if (repositories === undefined) return service;
  const has = await Promise.all(
    repositories.repositories.map(({ secret }) => secret === undefined || secrets === undefined || secrets.has(secret)),
  );
  const missing = repositories.repositories.flatMap(({ secret }, index) =>
    has[index]
      ? []
      : [
          {
            path: ["repositories", "repositories", index, "password"],
            problem: `names the secret ${secret}, which does not exist in ${secrets?.place}`,
            remedy: `Set it: \`slipway secret set ${secret}\`.`,
          },
        ],
  );
  if (missing.length > 0) throw error(missing, "secret-not-found");
  const resolved = await Promise.all(
    repositories.repositories.map(async (repository) => ({
      ...repository,
      commit: await resolveHead(repository.url, accessTo(repository, secrets, env)),
    })),
  );
  return { ...service, repositories: { ...repositories, repositories: resolved } };
}

function accessTo(
  { url, username, secret }: Repository,
  secrets: SecretStore | undefined,
  env: Environment,
): GitAccess {
  const findPassword = async (asked: string): Promise<GitPassword | undefined> => {
    const own = await storedPassword(asked, env);
    if (own !== undefined || username === undefined || secret === undefined || !isSameServer(asked, url)) return own;
    const password = (await secrets?.value(secret))?.toString();
    if (password === undefined) return undefined;
    requireOneLine(password, secret, url);
    return { username, password, source: `secret ${secret} in ${secrets?.place}` };
  };
  return { env, protocols: ["https"], findPassword };
}
