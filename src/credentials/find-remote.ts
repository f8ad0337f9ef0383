import type { Environment } from "../core/environment.ts";
import type { Credential, CredentialSearch, SshKey } from "./credential.ts";
import { selectEntry, type Wanted } from "./select.ts";
import type { Service, ServiceUrl } from "./service-url.ts";
import { describeEntry, readCredential, readSshKey } from "./source.ts";
import { storePath } from "./store.ts";

/** Among the sources of `slipway credentials add`. A download may be from a git server, a clone always is. */
export async function findPassword(
  url: ServiceUrl,
  services: readonly Service[],
  env: Environment,
): Promise<CredentialSearch> {
  return search({ services, url, need: "password" }, env, (entry) => readCredential(entry, env));
}

/** @throws UserError or Failure if the matching source cannot be read */
export async function findSshKey(url: ServiceUrl, env: Environment): Promise<CredentialSearch<SshKey>> {
  return search({ services: ["git"], url, need: "ssh-key" }, env, readSshKey);
}

async function search<Found extends Credential | SshKey>(
  wanted: Wanted,
  env: Environment,
  read: (entry: Parameters<typeof readSshKey>[0]) => Promise<Found>,
): Promise<CredentialSearch<Found>> {
  const { entry, considered } = await selectEntry(wanted, env);
  const trail = { searched: [storePath(env)], problems: [], considered };
  return entry ? { credential: await read(entry), source: describeEntry(entry), ...trail } : trail;
}
