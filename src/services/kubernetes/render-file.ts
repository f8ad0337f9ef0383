import { Document, visit } from "yaml";
import type { Environment } from "../../core/environment.ts";
import type { Service } from "../model.ts";
import { checkImageTaken, readServices, type ServiceDocument, type ServiceFile } from "../read.ts";
import { resolveRepositories, resolveService } from "../resolve.ts";
import { contentsOf } from "../served-models.ts";
import { readServiceSettings } from "../settings.ts";
import { type SyncImage, syncImage } from "../sync-image.ts";
import type { Manifest } from "./manifest.ts";
import { podContent } from "./pod.ts";
import { renderService } from "./render.ts";
import { mayCopy } from "./secrets.ts";

export interface Rendered {
  readonly service: Service;
  readonly manifests: readonly Manifest[];
  /** Fetches its content; may need a push. Undefined: the service has no content. */
  readonly sync?: SyncImage;
}

/** Contacts nobody itself: `resolve` pins names. */
export async function renderFile(
  file: ServiceFile,
  env: Environment,
  resolve: (document: ServiceDocument, env: Environment) => Promise<Service> = async ({ service }) => service,
): Promise<readonly Rendered[]> {
  const settings = await readServiceSettings(env);
  const { instanceTypes: types } = settings;
  const documents = await readServices(file, Object.keys(types));
  checkImageTaken(documents, file.image);
  const services = await Promise.all(documents.map((document) => resolve(document, env)));
  // One for all services.
  let found: Promise<SyncImage> | undefined;
  return Promise.all(
    services.map(async (service): Promise<Rendered> => {
      const type = service.instanceType === undefined ? undefined : types[service.instanceType];
      if (service.models.length === 0 && service.repositories === undefined) {
        return { service, manifests: renderService(service, type) };
      }
      // Comes first: on a new machine it starts the registry, which gives it a name.
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

/** Pins names with registries and git servers, without a cluster. */
export async function resolveOutside(document: ServiceDocument, env: Environment): Promise<Service> {
  return resolveService(await resolveRepositories(document, undefined, env), env);
}

/** Kubernetes reads YAML 1.1, in which `yes` is a boolean. This output means the same in 1.2. */
export function manifestsAsYaml(manifests: readonly Manifest[]): string {
  return manifests.map((manifest) => `---\n${asYaml(manifest)}`).join("");
}

function asYaml(manifest: Manifest): string {
  const document = new Document(manifest, { version: "1.1", aliasDuplicateObjects: false });
  visit(document, {
    Scalar: (_, node) => {
      // Texts that only YAML 1.2 reads as numbers, such as 0o17.
      if (typeof node.value === "string" && /^[-+.0-9]/.test(node.value)) node.type = "QUOTE_DOUBLE";
    },
  });
  return document.toString({ lineWidth: 0, directives: false });
}

export function manifestsAsJson(manifests: readonly Manifest[]): string {
  return `${JSON.stringify({ apiVersion: "v1", kind: "List", items: manifests }, undefined, 2)}\n`;
}
