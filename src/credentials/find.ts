import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { CredentialSearch } from "./credential.ts";
import { lookUp, type Target } from "./docker-config.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The files that `docker login` and `podman login` write. What a variable names explicitly comes first.
 * `REGISTRY_AUTH_FILE` and `DOCKER_CONFIG` replace the default file of their tool.
 */
export function credentialFiles(env: Environment): string[] {
  const home = env["HOME"] || homedir();
  const containers = env["REGISTRY_AUTH_FILE"]
    ? [env["REGISTRY_AUTH_FILE"]]
    : [
        ...(env["XDG_RUNTIME_DIR"] ? [join(env["XDG_RUNTIME_DIR"], "containers/auth.json")] : []),
        join(env["XDG_CONFIG_HOME"] || join(home, ".config"), "containers/auth.json"),
      ];
  const docker = join(env["DOCKER_CONFIG"] || join(home, ".docker"), "config.json");
  return env["DOCKER_CONFIG"] && !env["REGISTRY_AUTH_FILE"] ? [docker, ...containers] : [...containers, docker];
}

/**
 * Finds the credential for a registry, and a repository in it, where docker and podman keep theirs; the first file that has one wins.
 * Reads files and runs helpers, so it is called only once a registry has asked who is there.
 *
 * @param env the environment in which homes and helpers are looked up
 */
export async function findCredential(target: Target, env: Environment = process.env): Promise<CredentialSearch> {
  const searched: string[] = [];
  const problems: string[] = [];
  for (const path of credentialFiles(env)) {
    searched.push(path);
    try {
      const answer = lookUp(await readFile(path, "utf8"), target);
      if (answer?.kind === "credential") return { credential: answer.credential, source: path, searched, problems };
      if (answer?.kind === "helper") {
        const source = `docker-credential-${answer.helper} (named in ${path})`;
        searched.push(source);
        const { askHelper } = await import("./helper.ts");
        const credential = await askHelper(answer.helper, answer.server, env);
        if (credential) return { credential, source, searched, problems };
      }
    } catch (error) {
      if (isAbsent(error)) continue;
      problems.push(`${path}: ${error instanceof Error ? error.message : String(error)}.`);
    }
  }
  return { searched, problems };
}

function isAbsent(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOENT" || code === "ENOTDIR";
}
