import type { Environment } from "../core/environment.ts";
import { findNamedRegistry } from "../credentials/named.ts";
import { correction } from "../credentials/source.ts";
import type { GitAccess, GitPassword } from "../git/access.ts";
import { storedPassword } from "../git/access.ts";
import { resolveHead } from "../git/remote.ts";
import { digestOfTag } from "../jobs/resolve-image.ts";
import { formatReference, parseReference } from "../oci/reference.ts";
import type { FindCredential } from "../registry/client/auth.ts";
import { embeddedHost, openByName, openConfigured } from "../registry/open-by-name.ts";
import type { SecretStore } from "../secrets/secrets.ts";
import { findSecrets, type MissingSecret, type VariableStore } from "../secrets/variables.ts";
import { runnableImage } from "../signatures/runnable-image.ts";
import type { Repository, Service } from "./model.ts";
import type { ServiceDocument } from "./read.ts";
import { isSameServer, requireOneLine } from "./repositories.ts";
import { resolveModels } from "./served-models.ts";

/** Pins a service's image and models by digest, so that restarts and new replicas get the same program. */
export async function resolveService(service: Service, env: Environment): Promise<Service> {
  const [image, models] = await Promise.all([resolveImage(service, env), resolveModels(service.models, env)]);
  return { ...service, image, models };
}

/** The digest of a tag. That of an index if the image is for several platforms: nodes choose theirs. */
async function resolveImage({ image, containerRegistry }: Service, env: Environment): Promise<string> {
  const reference = parseReference(image);
  const { registry, repository, tag = "latest" } = reference;
  const open = openerFor({ image, containerRegistry }, env);
  const place = { repository: formatReference({ registry, repository }), tag };
  const digest = reference.digest ?? (await digestOfTag(place, open)).digest;
  return runnableImage(`${place.repository}@${digest}`, env, open);
}

/** Opens the registry of a service's image with the credential that the service names. */
export function openerFor(
  { image, containerRegistry }: { readonly image: string; readonly containerRegistry?: string | undefined },
  env: Environment,
) {
  const reference = parseReference(image);
  return async (name: string) => {
    if (containerRegistry === undefined || name === embeddedHost(env)) return openByName(name, env);
    const { credential, source } = await findNamedRegistry(containerRegistry, reference, env);
    const find: FindCredential = async () => ({ credential, source, correction, searched: [], problems: [] });
    return openConfigured(name, env, find);
  };
}

/**
 * Commits of main branches, so that restarts and new replicas get the same code. Asks as this user, and with the
 * service's password only if the user has none for the server.
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

/** @param error adds positions in the document */
export async function resolveSecrets(
  service: Service,
  stores: readonly VariableStore[],
  error?: ServiceDocument["error"],
): Promise<Service> {
  const env = Object.fromEntries(service.env.map(({ name, value }) => [name, value]));
  const refuse =
    error &&
    ((missing: readonly MissingSecret[]) =>
      error(
        missing.map(({ variable, problem, remedy }) => ({
          path: ["env", service.env.findIndex(({ name }) => name === variable), "value"],
          problem,
          remedy,
        })),
        "secret-not-found",
      ));
  const secrets = await findSecrets(env, stores, refuse);
  return { ...service, secrets };
}
