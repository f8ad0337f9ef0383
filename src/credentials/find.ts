import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { homeFolder } from "../core/user-folders.ts";
import type { Consideration, Credential, CredentialSearch } from "./credential.ts";
import { type ConfigAnswer, type ConfigAnswers, lookUp, type Target } from "./docker-config.ts";
import { ecrRegistry } from "./ecr-host.ts";
import { selectEntry } from "./select.ts";
import { registryTarget } from "./service-url.ts";
import { correction, describeEntry, readCredential } from "./source.ts";
import { storePath } from "./store.ts";

/**
 * Of `docker login` and `podman login`. REGISTRY_AUTH_FILE and DOCKER_CONFIG replace their tool's default file. `user`
 * is for podman's files without XDG_RUNTIME_DIR.
 */
export function credentialFiles(env: Environment, user = process.getuid?.() ?? 0): string[] {
  const home = homeFolder(env);
  const runtime = env["XDG_RUNTIME_DIR"];
  const containers = env["REGISTRY_AUTH_FILE"]
    ? [env["REGISTRY_AUTH_FILE"]]
    : [
        ...(runtime ? [join(runtime, "containers/auth.json")] : runtimeFiles(user)),
        join(env["XDG_CONFIG_HOME"] || join(home, ".config"), "containers/auth.json"),
      ];
  const docker = join(env["DOCKER_CONFIG"] || join(home, ".docker"), "config.json");
  return env["DOCKER_CONFIG"] && !env["REGISTRY_AUTH_FILE"] ? [docker, ...containers] : [...containers, docker];
}

/** Without XDG_RUNTIME_DIR, podman chooses a folder of its own, skopeo and buildah another one. */
function runtimeFiles(user: number): string[] {
  const shared = `/run/containers/${user}/auth.json`;
  if (user === 0) return [shared];
  return [`/run/user/${user}/containers/auth.json`, `/tmp/podman-run-${user}/containers/auth.json`, shared];
}

function isChosenByPodman(path: string, env: Environment): boolean {
  return !env["XDG_RUNTIME_DIR"] && runtimeFiles(process.getuid?.() ?? 0).includes(path);
}

/** Anyone can make a folder in /tmp, and root's /run/containers is closed to others. */
async function isOwn(path: string): Promise<boolean> {
  return stat(path).then(
    ({ uid }) => uid === process.getuid?.(),
    () => false,
  );
}

/** It holds the text of a Docker configuration, as CI systems set it. */
const configVariable = "DOCKER_AUTH_CONFIG";

/**
 * The first wins: DOCKER_AUTH_CONFIG, `slipway credentials add`, files and helpers of podman and docker, this machine's
 * AWS credentials for private ECR. It reads files and runs helpers, so call it only once a registry asks.
 *
 * @throws UserError if a source for this registry is unreadable: it must not silently mean anonymous access. Errors of
 *   helpers and AWS are in `problems` instead
 */
export async function findCredential(target: Target, env: Environment = process.env): Promise<CredentialSearch> {
  const { failure, ...search } = await searchCredential(target, env);
  if (failure !== undefined) throw failure;
  return search;
}

export async function searchCredential(
  target: Target,
  env: Environment,
): Promise<CredentialSearch & { readonly failure?: unknown }> {
  const search = new Search(target, env);
  try {
    const found = (await search.variable()) ?? (await search.store()) ?? (await search.files()) ?? (await search.ecr());
    return { ...found, ...search.trail };
  } catch (failure) {
    return { failure, ...search.trail };
  }
}

type Found = Pick<CredentialSearch, "headers" | "expiresAt" | "correction"> & {
  readonly credential: Credential;
  readonly source: string;
};

class Search {
  readonly trail = { searched: [] as string[], problems: [] as string[], considered: [] as Consideration[] };
  readonly #target: Target;
  readonly #env: Environment;

  constructor(target: Target, env: Environment) {
    this.#target = target;
    this.#env = env;
  }

  async variable(): Promise<Found | undefined> {
    const text = this.#env[configVariable];
    const found = text ? await this.#config(configVariable, text) : undefined;
    return found && { ...found, correction: `Correct or unset ${configVariable}.` };
  }

  async store(): Promise<Found | undefined> {
    const { registry, repository } = this.#target;
    this.trail.searched.push(storePath(this.#env));
    const { entry, considered } = await selectEntry(
      { services: ["docker"], url: registryTarget(registry, repository), need: "password" },
      this.#env,
    );
    this.trail.considered.push(...considered);
    if (entry === undefined) return undefined;
    return { credential: await readCredential(entry, this.#env), source: describeEntry(entry), correction };
  }

  async files(): Promise<Found | undefined> {
    for (const path of credentialFiles(this.#env)) {
      let text: string;
      try {
        if (isChosenByPodman(path, this.#env) && !(await isOwn(path))) continue;
        text = await readFile(path, "utf8");
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? "";
        this.trail.searched.push(path);
        if (code !== "ENOENT" && code !== "ENOTDIR") throw unreadable(path, `it cannot be read (${code})`);
        this.#note(path, false, "it does not exist");
        continue;
      }
      const found = await this.#config(path, text);
      if (found) return found;
    }
    return undefined;
  }

  async ecr(): Promise<Found | undefined> {
    const registry = ecrRegistry(this.#target.registry);
    if (!registry) return undefined;
    const place = `AWS login to ECR in ${registry.region}`;
    this.trail.searched.push(place);
    try {
      const { exchangeForEcr } = await import("./aws-clients.mjs");
      const login = await exchangeForEcr(registry);
      this.#note(place, true, "the registry is one of Amazon ECR");
      return { ...login, source: place };
    } catch (error) {
      this.#problem(place, error);
      return undefined;
    }
  }

  async #config(place: string, text: string): Promise<Found | undefined> {
    this.trail.searched.push(place);
    let said: ConfigAnswers;
    try {
      said = lookUp(text, this.#target);
    } catch (error) {
      throw unreadable(place, (error as Error).message);
    }
    const { headers } = said;
    for (const answer of said.answers) {
      if (answer.kind === "credential") {
        this.#note(place, true, `its entry ${answer.key} matches`);
        return { credential: answer.credential, source: place, headers };
      }
      const found = await this.#helper(place, answer);
      if (found) return { ...found, headers };
    }
    if (said.answers.length === 0) this.#note(place, false, "it has nothing for this registry");
    return undefined;
  }

  async #helper(place: string, answer: Extract<ConfigAnswer, { kind: "helper" }>): Promise<Found | undefined> {
    const source = `docker-credential-${answer.helper} (named in ${place})`;
    // Slipway's own helper would search here again, endlessly.
    if (answer.helper === "slipway") {
      this.#note(source, false, "it is Slipway's own helper, which looks where this search does");
      return undefined;
    }
    this.trail.searched.push(source);
    try {
      const { askHelper } = await import("./helper.ts");
      const credential = await askHelper(answer.helper, answer.server, this.#env);
      const reason = credential ? `it has one for ${answer.server}` : `it has none for ${answer.server}`;
      this.#note(source, credential !== undefined, reason);
      return credential && { credential, source };
    } catch (error) {
      this.#problem(source, error);
      return undefined;
    }
  }

  #note(place: string, used: boolean, reason: string): void {
    this.trail.considered.push({ place, used, reason });
  }

  #problem(place: string, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.trail.problems.push(`${place}: ${message}.`);
    this.#note(place, false, message);
  }
}

function unreadable(place: string, problem: string): UserError {
  return new UserError(
    { code: "credential-invalid", culprit: place },
    `Credential source ${place}: ${problem}.`,
    "Correct it, or log in again with the tool that wrote it.",
  );
}
