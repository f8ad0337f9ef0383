import type { Environment } from "../core/environment.ts";
import { findNamedRegistry } from "../credentials/named.ts";
import { correction } from "../credentials/source.ts";
import { digestOfTag } from "../jobs/resolve-image.ts";
import { formatReference, parseReference } from "../oci/reference.ts";
import type { FindCredential } from "../registry/client/auth.ts";
import { embeddedHost, openByName, openConfigured } from "../registry/open-by-name.ts";
import { runnableImage } from "../signatures/runnable-image.ts";
import type { Service } from "./model.ts";
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
