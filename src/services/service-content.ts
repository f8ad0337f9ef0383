import type { Environment } from "../core/environment.ts";
import type { Content } from "./content.ts";
import type { Service } from "./model.ts";
import { repositoriesContent } from "./repositories.ts";
import { modelRegistry, modelSecret, modelsContent } from "./served-models.ts";
import type { ServiceSettings } from "./settings.ts";

/**
 * The content of a service, in the order of its fetches.
 *
 * @param modelFiles how the sync program gets `modelAccess`. Default: from the Secret that an apply creates
 */
export async function contentsOf(
  service: Service,
  { authorities, modelsClaim }: ServiceSettings,
  env: Environment,
  modelFiles: Pick<Content, "secrets" | "texts"> = { secrets: [modelSecret(service)] },
): Promise<readonly Content[]> {
  const { name, models, repositories } = service;
  const contents = [
    ...(models.length === 0 ? [] : [modelsContent(models, await modelRegistry(env), modelsClaim, modelFiles)]),
    ...(repositories === undefined ? [] : [repositoriesContent(repositories, authorities)]),
  ];
  return contents.map((content) => ({ ...content, arguments: [`--service=${name}`, ...content.arguments] }));
}
