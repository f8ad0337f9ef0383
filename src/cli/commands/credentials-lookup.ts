import type { Environment } from "../../core/environment.ts";
import type { Credential, CredentialSearch, SshKey } from "../../credentials/credential.ts";
import { splitServer, type Target } from "../../credentials/docker-config.ts";
import { searchCredential } from "../../credentials/find.ts";
import { findPassword, findSshKey } from "../../credentials/find-remote.ts";
import {
  parseServiceUrl,
  registryTarget,
  type Service,
  type ServiceUrl,
  services,
} from "../../credentials/service-url.ts";
import { isRepository, parseReference } from "../../oci/reference.ts";
import { normalizeRegistry } from "../../oci/registry-host.ts";

export const service = { choices: services, describe: "Kind of service. Default: guessed from the URL" } as const;

export interface Asked {
  readonly service: Service;
  readonly url: ServiceUrl;
  readonly target?: Target;
}

export type Lookup = CredentialSearch<Credential | SshKey> & { readonly failure?: unknown };

/** git by its URL forms, downloads by https://, else a registry or image. */
function guessService(text: string): Service {
  if (/^ssh:\/\/|^[^/]+@|\.git$/.test(text)) return "git";
  return /^https?:\/\//.test(text) ? "http" : "docker";
}

/** A registry, an image reference, or a URL. @throws UserError if it is invalid for that service */
export function readAsked(text: string, service: Service = guessService(text)): Asked {
  if (service !== "docker") {
    const url = parseServiceUrl(service, text);
    // A bare host uses TLS, as git and downloads do by default.
    return { service, url: { ...url, scheme: url.scheme ?? "https" } };
  }
  const target = readTarget(text);
  return { service, target, url: registryTarget(target.registry, target.repository) };
}

function readTarget(text: string): Target {
  const { registry, repository } = splitServer(text);
  const isHost = repository === "" && (/[.:]/.test(registry) || registry === "localhost");
  if (isHost || (/^https?:/.test(text) && isRepository(repository))) {
    parseServiceUrl("docker", text);
    return { registry: normalizeRegistry(registry), ...(repository === "" ? {} : { repository }) };
  }
  return parseReference(text);
}

export async function lookUpAsked({ service, url, target }: Asked, env: Environment): Promise<Lookup> {
  if (target) return searchCredential(target, env);
  if (url.scheme === "ssh") return findSshKey(url, env);
  return findPassword(url, service === "git" ? ["git"] : ["http", "git"], env);
}
