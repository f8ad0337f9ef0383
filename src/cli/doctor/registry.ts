import { registrySettings } from "../../config/settings.ts";
import type { Environment } from "../../core/environment.ts";
import type { UserError } from "../../core/errors.ts";
import type { CredentialSearch } from "../../credentials/credential.ts";
import { findCredential } from "../../credentials/find.ts";
import { readStore } from "../../credentials/store.ts";
import { endpointOf } from "../../oci/endpoint.ts";
import { openRegistry } from "../../registry/client/open.ts";
import { findEmbeddedRegistry } from "../../registry-server/ensure.ts";
import { testEntry } from "../commands/credentials-test.ts";
import { broken, type Finding } from "./finding.ts";

const registry = { part: "registry", neededFor: "pushing images", required: false } as const;
const credentials = { part: "credentials", neededFor: "registries and servers that ask for a login", required: false };

export async function examineRegistry(env: Environment): Promise<Finding[]> {
  const name = env["SLIPWAY_REGISTRY"];
  return name ? examineRemote(name, env) : [await examineEmbedded(env)];
}

async function examineEmbedded(env: Environment): Promise<Finding> {
  try {
    const embedded = await findEmbeddedRegistry({ env });
    const where = embedded === undefined ? "which starts with the first push" : `at ${embedded.host}`;
    return { ...registry, state: "ok", detail: `the embedded one, ${where}` };
  } catch (error) {
    return broken(registry, error);
  }
}

/** Logs in, as a push does. */
async function examineRemote(name: string, env: Environment): Promise<Finding[]> {
  const asked = `SLIPWAY_REGISTRY=${name}`;
  const answers: Finding = { ...registry, state: "ok", detail: `${asked} answers` };
  let search: CredentialSearch | undefined;
  try {
    const target = { registry: endpointOf(name).registry };
    using client = openRegistry(name, {
      env,
      settings: await registrySettings(name, env),
      findCredential: async () => {
        search = await findCredential(target, env);
        return search;
      },
    });
    await client.checkLogin();
    const detail = search === undefined ? `${name} asks for none` : `${name} accepts the one from ${search.source}`;
    return [answers, { ...credentials, state: "ok", detail }];
  } catch (error) {
    const { code } = error as Partial<UserError>;
    if (code !== "registry-login" && !code?.startsWith("credential")) return [broken(registry, error)];
    const isMissing = search !== undefined && search.credential === undefined && search.problems.length === 0;
    return [answers, { ...broken(credentials, error), ...(isMissing && { state: "missing" }) }];
  }
}

/** Uses each that was added with `slipway credentials add`. */
export async function examineCredentials(env: Environment): Promise<Finding[]> {
  const attempt = async (work: () => Promise<Finding[]>) =>
    work().catch((error: unknown) => [broken(credentials, error)]);
  return attempt(async () => {
    const entries = await readStore(env);
    if (entries.length === 0) return [{ ...credentials, state: "ok", detail: "none was added" }];
    const findings = entries.map((entry) =>
      attempt(async () => [{ ...credentials, state: "ok", detail: await testEntry(entry, env) }]),
    );
    return (await Promise.all(findings)).flat();
  });
}
