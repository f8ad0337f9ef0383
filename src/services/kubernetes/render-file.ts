import type { Environment } from "../../core/environment.ts";
import type { Service } from "../model.ts";
import { checkImageTaken, readServices, type ServiceDocument } from "../read.ts";
import { resolveService } from "../resolve.ts";
import { resolveRepositories } from "../resolve-repositories.ts";
import { contentsOf } from "../service-content.ts";
import { readServiceSettings } from "../settings.ts";
import { type SyncImage, syncImage } from "../sync-image.ts";
import type { Manifest } from "./manifest.ts";
import { podContent } from "./pod-content.ts";
import { mayCopy } from "./pull-secret.ts";
import { renderService } from "./render.ts";

/** A service and its objects in Kubernetes. */
export interface Rendered {
  readonly service: Service;
  readonly manifests: readonly Manifest[];
  /** What brings it its content, which the registry may not have yet. Undefined: nothing is brought to it. */
  readonly sync?: SyncImage;
}

/**
 * Reads and renders the services of a file or folder. Asks nobody anything by itself.
 *
 * @param name what a person calls it
 * @param resolve finds what the names in a service stand for now. Default: they stay
 * @param image of the services that name none
 * @throws UserError for mistakes in it
 */
export async function renderFile(
  path: string,
  name: string,
  env: Environment,
  resolve: (document: ServiceDocument, env: Environment) => Promise<Service> = async ({ service }) => service,
  image?: string,
): Promise<readonly Rendered[]> {
  const settings = await readServiceSettings(env);
  const { instanceTypes: types } = settings;
  const documents = await readServices(path, name, Object.keys(types), image);
  checkImageTaken(documents, image);
  const services = await Promise.all(documents.map((document) => resolve(document, env)));
  // The same for all of them.
  let found: Promise<SyncImage> | undefined;
  return Promise.all(
    services.map(async (service): Promise<Rendered> => {
      const type = service.instanceType === undefined ? undefined : types[service.instanceType];
      if (service.models.length === 0 && service.repositories === undefined) {
        return { service, manifests: renderService(service, type) };
      }
      // First: on a new machine this is what starts the registry, whose name is then known.
      found ??= syncImage(env);
      const sync = await found;
      const contents = await contentsOf(service, settings, env);
      return {
        service,
        manifests: renderService(service, type, podContent(contents, sync.reference, mayCopy(env))),
        sync,
      };
    }),
  );
}

/** Finds what names stand for by asking registries and git servers, and no cluster. */
export async function resolveOutside(document: ServiceDocument, env: Environment): Promise<Service> {
  return resolveService(await resolveRepositories(document, undefined, env), env);
}
