import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../core/environment.ts";
import { homeFolder } from "../core/user-folders.ts";

const defaultSocket = "/var/run/docker.sock";

/** `elsewhere`: the daemon may not share this machine's network. `forbidden`: the socket is not for this user. */
type DockerEndpoint =
  | { readonly kind: "local"; readonly socket: string }
  | { readonly kind: "elsewhere"; readonly name: string }
  | { readonly kind: "none" | "forbidden"; readonly socket: string };

export function dockerConfigFolder(env: Environment): string {
  return env["DOCKER_CONFIG"] || join(homeFolder(env), ".docker");
}

export function dockerContext(env: Environment): string | undefined {
  const chosen = env["DOCKER_CONTEXT"] || configuredContext(join(dockerConfigFolder(env), "config.json"));
  return chosen === "default" ? undefined : chosen;
}

function configuredContext(file: string): string | undefined {
  try {
    const { currentContext } = JSON.parse(readFileSync(file, "utf8")) as { currentContext?: unknown };
    return typeof currentContext === "string" && currentContext !== "" ? currentContext : undefined;
  } catch {
    // Docker itself complains of a broken one.
    return undefined;
  }
}

/** Looks where Docker's client does, in its order. */
export function dockerEndpoint(env: Environment, standardSocket = defaultSocket): DockerEndpoint {
  const host = env["DOCKER_HOST"];
  if (host?.startsWith("unix://")) return { kind: "local", socket: host.slice("unix://".length) };
  if (host) return { kind: "elsewhere", name: `DOCKER_HOST=${host}` };
  const context = dockerContext(env);
  if (context !== undefined) return { kind: "elsewhere", name: `Docker's context ${context}` };
  if (!existsSync(standardSocket)) return { kind: "none", socket: standardSocket };
  try {
    accessSync(standardSocket, constants.R_OK | constants.W_OK);
  } catch {
    return { kind: "forbidden", socket: standardSocket };
  }
  return { kind: "local", socket: standardSocket };
}
