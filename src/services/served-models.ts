import { placesIn, registrySettings } from "../config/settings.ts";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import type { Credential } from "../credentials/credential.ts";
import { findCredential } from "../credentials/find.ts";
import { type ModelPlace, parseModelReference, placeOfModel, resolveModel } from "../models/registry.ts";
import { formatReference } from "../oci/reference.ts";
import { embeddedHost, openByName } from "../registry/open-by-name.ts";
import { writableHost } from "../registry/writable.ts";
import { findEmbeddedRegistry, requestToken } from "../registry-server/ensure.ts";
import { type Content, type ContentSecret, modelFolder } from "./content.ts";
import type { Model, Service } from "./model.ts";
import { repositoriesContent } from "./repositories.ts";
import type { ServiceSettings } from "./settings.ts";
import { type RegistryAccesses, registriesFile } from "./sync/registries.ts";

/** The registry with the models of services, the same as that of jobs. */
export interface ModelRegistry {
  readonly host: string;
  readonly repositoryOf: (id: string) => string;
}

/** Does not contact the registry. */
export async function modelRegistry(env: Environment): Promise<ModelRegistry> {
  const host = writableHost(env);
  if (host !== undefined) {
    const place = await placesIn(host, env);
    return { host, repositoryOf: (id) => place(`models/${id}`) };
  }
  throw new UserError(
    { code: "model-not-found", culprit: "SLIPWAY_REGISTRY" },
    "There is no registry of models: SLIPWAY_REGISTRY is not set, and the embedded registry of this machine never ran.",
    "Set the variable, or push a model with `slipway model push`.",
  );
}

/** Pins the newest versions of models, so that restarts and new replicas get the same ones. */
export async function resolveModels(models: readonly Model[], env: Environment): Promise<readonly Model[]> {
  if (models.length === 0) return models;
  const { host, repositoryOf } = await modelRegistry(env);
  using client = await openByName(host, env);
  return await Promise.all(
    models.map(async (model) => {
      const { id, digest } = parseModelReference(model.id);
      const place: ModelPlace = placeOfModel({ client, host, place: () => repositoryOf(id) }, id);
      return { ...model, id: `${id}@${await resolveModel(place, digest)}` };
    }),
  );
}

export function modelSecret({ name }: Pick<Service, "name">): ContentSecret {
  return { secret: `${name}-models`, key: registriesFile, file: registriesFile };
}

/** A model without a digest is the newest one at the start of each container. Without a claim, each pod has its own. */
export function modelsContent(
  models: Service["models"],
  { host, repositoryOf }: ModelRegistry,
  claim: string | undefined,
  files: Pick<Content, "secrets" | "texts">,
): Content {
  const named = models.map(({ id: text, path }) => {
    const { id, digest } = parseModelReference(text);
    const reference = { registry: host, repository: repositoryOf(id), ...(digest === undefined ? {} : { digest }) };
    return { argument: `--model=${formatReference(reference)}`, mount: { path, folder: modelFolder(reference) } };
  });
  return {
    kind: "models",
    arguments: named.map(({ argument }) => argument),
    ...(claim === undefined ? {} : { claim }),
    mounts: named.map(({ mount }) => mount),
    ...files,
  };
}

/**
 * A file for the sync program: the user's settings, and for the embedded registry short-lived tokens, for another one
 * the user's credential if it may be copied.
 */
export async function modelAccess(
  { models }: Pick<Service, "models">,
  env: Environment,
  mayCopy: boolean,
): Promise<string> {
  const { host, repositoryOf } = await modelRegistry(env);
  const embedded = host === embeddedHost(env) ? await findEmbeddedRegistry({ env }) : undefined;
  const credentials: Record<string, Credential> = {};
  for (const model of models) {
    const repository = repositoryOf(parseModelReference(model.id).id);
    if (embedded) {
      const { token } = await requestToken(embedded.socketPath, { repository, actions: ["pull"] });
      credentials[repository] = { kind: "password", username: "token", password: token };
    } else if (mayCopy) {
      const { credential } = await findCredential({ registry: host, repository }, env);
      if (credential) credentials[repository] = credential;
    }
  }
  const access: RegistryAccesses = { [host]: { settings: await registrySettings(host, env), credentials } };
  return JSON.stringify(access);
}

/** In the order of its fetches. `modelFiles`: how the sync program gets `modelAccess`. */
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
