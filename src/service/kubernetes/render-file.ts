import type { Service } from "../model.ts";
import { readServices } from "../read.ts";
import { resolveService } from "../resolve.ts";
import { readServiceSettings } from "../settings.ts";
import { refuseUnsupported } from "../supported.ts";
import type { Manifest } from "./manifest.ts";
import { renderService } from "./render.ts";

/** A service and its objects in Kubernetes. */
export interface Rendered {
  readonly service: Service;
  readonly manifests: readonly Manifest[];
}

/**
 * Reads and renders the services of a file or folder. Asks no cluster.
 *
 * @param name what a person calls it
 * @param isResolved whether registries are asked what the names in it stand for now, as applying does; otherwise nobody is asked anything
 * @throws UserError for mistakes in it, and for what is not brought into pods yet
 */
export async function renderFile(
  path: string,
  name: string,
  env: Readonly<Record<string, string | undefined>>,
  isResolved: boolean,
): Promise<readonly Rendered[]> {
  const { instanceTypes: types } = await readServiceSettings(env);
  const documents = await readServices(path, name, Object.keys(types));
  for (const document of documents) refuseUnsupported(document);
  const services = documents.map(({ service }) => service);
  const meant = isResolved ? await Promise.all(services.map((service) => resolveService(service, env))) : services;
  return meant.map((service) => ({
    service,
    manifests: renderService(service, service.instanceType === undefined ? undefined : types[service.instanceType]),
  }));
}
