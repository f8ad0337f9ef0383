import type { Environment } from "../core/environment.ts";
import type { GitAccess, GitPassword } from "../git/access.ts";
import { resolveHead } from "../git/remote.ts";
import { storedPassword } from "../git/stored.ts";
import type { SecretStore } from "../secrets/secrets.ts";
import type { Repository, Service } from "./model.ts";
import type { ServiceDocument } from "./read.ts";
import { isSameServer, requireOneLine } from "./repositories.ts";

/**
 * Finds the commit that each repository's main branch names now, so that neither a restart nor a further replica has other code. Asks the git
 * servers as this user, and only where the user has no password for one with that of the service.
 *
 * @param secrets where the service's engine keeps them. Undefined: nobody knows, and only this user's own passwords are used
 * @throws UserError for a secret that is not there, with its place in the document; for a server that does not let us ask
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
