import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { formatReference, type Reference } from "../oci/reference.ts";
import type { Credential } from "./credential.ts";
import { matchLength, parseServiceUrl, registryTarget } from "./service-url.ts";
import { describeEntry, type Entry, readCredential } from "./source.ts";
import { readStore, storePath } from "./store.ts";

/** Of `slipway credentials add --name`. */
export interface NamedRegistry {
  /** `host[:port]`, Docker Hub as `registry-1.docker.io`. */
  readonly registry: string;
  /** Such as `team`. Empty: the whole registry. */
  readonly repository: string;
  readonly credential: Credential;
  /** For people, without the secret. */
  readonly source: string;
}

/** For `containerRegistry: NAME` alone. The image must be from that registry: no other gets the credential. */
export async function findNamedRegistry(
  name: string,
  image: Pick<Reference, "registry" | "repository">,
  env: Environment,
): Promise<NamedRegistry> {
  const entries = (await readStore(env)).filter((entry) => entry.name !== undefined);
  const entry = entries.find((each) => each.name === name);
  if (!entry) throw unknown(name, entries, env);
  if (entry.service !== "docker") {
    throw new UserError(
      { code: "credential-invalid", culprit: name },
      `Credential ${describeEntry(entry)} is not for a registry.`,
      `Name another one, or add one for a registry: ${adding("NAME")}`,
    );
  }
  const url = parseServiceUrl("docker", entry.url);
  if (matchLength(url, registryTarget(image.registry, image.repository)) === undefined) {
    throw new UserError(
      { code: "credential-invalid", culprit: name },
      `Credential ${describeEntry(entry)} is not for the image ${formatReference(image)}.`,
      `Write the image with its registry, ${entry.url}/…, or name the credential for the image's registry.`,
    );
  }
  const registry = url.port === undefined ? url.host : `${url.host}:${url.port}`;
  const credential = await readCredential(entry, env);
  return { registry, repository: url.path, credential, source: describeEntry(entry) };
}

function unknown(name: string, entries: readonly Entry[], env: Environment): UserError {
  const known = entries.flatMap((each) => (each.service === "docker" && each.name ? [each.name] : []));
  const meant = nearest(name, known);
  const instead =
    meant !== undefined ? `Write ${meant}` : known.length > 0 ? `Write one of ${known.join(", ")}` : undefined;
  const add = adding(name);
  return new UserError(
    { code: "credential-not-found", culprit: name },
    `No credential for a registry has the name ${JSON.stringify(name)} in ${storePath(env)}.`,
    instead === undefined ? `Add it: ${add}` : `${instead}, or add it: ${add}`,
  );
}

function adding(name: string): string {
  return `\`slipway credentials add --service docker --name ${name} --url REGISTRY …\`.`;
}
