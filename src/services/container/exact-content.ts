import type { Environment } from "../../core/environment.ts";
import { LocalSecrets } from "../../secrets/local.ts";
import type { Content } from "../content.ts";
import type { Service } from "../model.ts";
import type { ServiceDocument } from "../read.ts";
import { resolveRepositories } from "../resolve-repositories.ts";
import { modelAccess, resolveModels } from "../served-models.ts";
import { contentsOf } from "../service-content.ts";
import type { ServiceSettings } from "../settings.ts";
import { registriesFile } from "../sync/registries.ts";

/** Pins commits and versions of models. */
export async function exactContents(
  document: ServiceDocument,
  settings: ServiceSettings,
  env: Environment,
): Promise<readonly Content[]> {
  const [{ repositories }, models] = await Promise.all([
    resolveRepositories(document, new LocalSecrets(env), env),
    resolveModels(document.service.models, env),
  ]);
  const service = { ...document.service, models, ...(repositories === undefined ? {} : { repositories }) };
  return contentsOf(service, settings, env, { secrets: [] });
}

/**
 * The files for the sync program, by name. A missing secret has no file. Models come with tokens that
 * expire in minutes, or with this user's credential, which does not leave this machine.
 */
export async function filesOf(
  service: Service,
  { kind, secrets, texts = [] }: Content,
  env: Environment,
): Promise<Readonly<Record<string, Buffer>>> {
  const store = new LocalSecrets(env);
  const files: Record<string, Buffer> = Object.fromEntries(texts.map(({ file, text }) => [file, Buffer.from(text)]));
  for (const { secret, file } of secrets) {
    const value = await store.value(secret);
    if (value !== undefined) files[file] = value;
  }
  if (kind === "models") files[registriesFile] = Buffer.from(await modelAccess(service, env, true));
  return files;
}
