import type { Environment } from "../../core/environment.ts";
import { exitStatusOf } from "../../core/errors.ts";
import { findCredential } from "../../credentials/find.ts";
import { endpointOf } from "../../oci/endpoint.ts";
import { findEmbeddedRegistry } from "../../registry-server/ensure.ts";
import { broken, type Finding } from "./finding.ts";

const registry = { part: "registry", neededFor: "pushing images", required: false } as const;
const credentials = {
  part: "credentials",
  neededFor: "pushing where the registry asks who is there",
  required: false,
} as const;

export async function examineRegistry(env: Environment): Promise<Finding[]> {
  const name = env["SLIPWAY_REGISTRY"];
  if (name) return [await examineRemote(name), await examineCredential(name, env)];
  return [await examineEmbedded(env), { ...credentials, state: "ok", detail: "the embedded registry gives its own" }];
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

async function examineRemote(name: string): Promise<Finding> {
  const asked = `SLIPWAY_REGISTRY=${name}`;
  try {
    const { base } = endpointOf(name);
    const signal = AbortSignal.timeout(10_000);
    const { status, body } = await fetch(new URL("v2/", base), { signal, redirect: "manual" });
    await body?.cancel();
    if (status === 200 || status === 401) return { ...registry, state: "ok", detail: `${asked} answers` };
    const remedy = "Check the name, and that a registry runs there";
    return { ...registry, state: "broken", detail: `${asked} answers with HTTP status ${status}`, remedy };
  } catch (error) {
    if (exitStatusOf(error) === 2) return broken(registry, error);
    const cause = (error as Error).cause ?? error;
    const remedy = "Check the name, that the registry runs, and the way there";
    return { ...registry, state: "broken", detail: `${asked} does not answer: ${(cause as Error).message}`, remedy };
  }
}

async function examineCredential(name: string, env: Environment): Promise<Finding> {
  try {
    const { credential, source, problems } = await findCredential({ registry: endpointOf(name).registry }, env);
    if (credential !== undefined) return { ...credentials, state: "ok", detail: `for ${name} from ${source}` };
    const remedy = `podman login ${name}, or docker login ${name}`;
    if (problems.length > 0) return { ...credentials, state: "broken", detail: problems.join(" "), remedy };
    return { ...credentials, state: "missing", detail: `none for ${name}`, remedy };
  } catch (error) {
    return broken(credentials, error);
  }
}
