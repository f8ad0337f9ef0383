import type { Service } from "../model.ts";
import { readServices } from "../read.ts";
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
 * Reads and renders the services of a file or folder. Asks no cluster, no registry and no credential.
 *
 * @param name what a person calls it
 * @throws UserError for mistakes in it, and for what is not brought into pods yet
 */
export async function renderFile(
  path: string,
  name: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly Rendered[]> {
  const { instanceTypes: types } = await readServiceSettings(env);
  const documents = await readServices(path, name, Object.keys(types));
  for (const document of documents) refuseUnsupported(document);
  return documents.map(({ service }) => ({
    service,
    manifests: renderService(service, service.instanceType === undefined ? undefined : types[service.instanceType]),
  }));
}
