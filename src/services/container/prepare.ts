import type { ContainerClient, ContainerUse } from "../../containers/client.ts";
import { embeddedLogin } from "../../containers/login.ts";
import { checkReach } from "../../containers/reach.ts";
import type { Login } from "../../containers/run-folder.ts";
import type { Environment } from "../../core/environment.ts";
import { UserError } from "../../core/errors.ts";
import { heartbeat, patience } from "../../core/heartbeat.ts";
import { findNamedRegistry } from "../../credentials/named.ts";
import { parseReference } from "../../oci/reference.ts";
import { LocalSecrets } from "../../secrets/local.ts";
import type { Content } from "../content.ts";
import type { Service } from "../model.ts";
import type { ServiceDocument } from "../read.ts";
import { resolveRepositories, resolveService } from "../resolve.ts";
import { contentsOf, modelAccess, resolveModels } from "../served-models.ts";
import type { ServiceSettings } from "../settings.ts";
import { registriesFile } from "../sync/registries.ts";
import { syncImage } from "../sync-image.ts";
import type { Containers } from "./containers.ts";

export const serviceUse: ContainerUse = {
  asked: "The engine container",
  instead: "run services in Kubernetes with --engine kubernetes",
};

/** The registry name of images that were built here and never pushed. */
const local = "localhost";

export async function exactImage(containers: Containers, service: Service, env: Environment): Promise<string> {
  const { image } = service;
  checkReach(containers.client, image, env, serviceUse);
  if (parseReference(image).registry !== local) return (await resolveService({ ...service, models: [] }, env)).image;
  const found = await containers.image(image);
  if (found) return found.id;
  const { name } = containers.client;
  throw new UserError(
    { code: "image-not-found", culprit: image },
    `${name} has no image ${image}, and ${local} is no registry.`,
    `Build it with \`${name} build --tag ${image}\`, or write an image with its registry.`,
  );
}

/** Pulls a service's image if necessary, and refuses one that may run as root. */
export async function bringImage(
  containers: Containers,
  service: Service,
  image: string,
  env: Environment,
  notice: (text: string) => void,
): Promise<void> {
  const login = () => loginFor(containers.client, service, image, env);
  if ((await containers.image(image)) === undefined) await pull(containers, image, await login(), { write: notice });
  const { user = "" } = (await containers.image(image)) ?? {};
  checkUser(service.image, user);
}

async function pull(
  containers: Containers,
  image: string,
  login: Login | undefined,
  options: Parameters<typeof heartbeat>[1],
): Promise<void> {
  const endHeartbeat = heartbeat(`${containers.client.name} is pulling ${image}`, options);
  await containers.pull(image, login).finally(endHeartbeat);
}

/** Pushes and pulls the sync image if necessary, and returns its name in the engine. */
export async function bringSyncImage(containers: Containers, env: Environment): Promise<string> {
  const { reference, push } = await syncImage(env);
  checkReach(containers.client, reference, env, serviceUse);
  if ((await containers.image(reference)) === undefined) {
    await push();
    await pull(containers, reference, await embeddedLogin(reference), { after: patience });
  }
  return reference;
}

/** Only the credential that `containerRegistry` names, or a short-lived one for the embedded registry. */
async function loginFor(
  client: ContainerClient,
  { containerRegistry }: Service,
  image: string,
  env: Environment,
): Promise<Login | undefined> {
  if (containerRegistry === undefined) return embeddedLogin(image);
  const { credential, source } = await findNamedRegistry(containerRegistry, parseReference(image), env);
  if (credential.kind === "password") return { ...credential, source };
  throw new UserError(
    { code: "credential-invalid", culprit: source },
    `The credential for ${image} from ${source} is a token (${credential.kind}), but ${client.name} pulls only with a name and password.`,
    "Log in to the registry with a name and password, such as those of a robot account that may only pull.",
  );
}

/** The rule of Kubernetes, so that an image that runs here runs there. */
function checkUser(image: string, user: string): void {
  const [name = ""] = user.split(":");
  if (/^[0-9]+$/.test(name) && Number(name) > 0) return;
  const problem =
    name === "" || name === "root" || Number(name) === 0
      ? `Image ${image} runs as root, which containers of services may not.`
      : `Image ${image} names its user ${name} without a number, so it could be root.`;
  throw new UserError(
    { code: "image-unsuitable", culprit: image },
    problem,
    "Give the image a user by number, such as `USER 1000:1000`.",
  );
}

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
 * Files for the sync program; a missing secret has none. Models come with tokens that expire in minutes, or with this
 * user's credential, which does not leave this machine.
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
