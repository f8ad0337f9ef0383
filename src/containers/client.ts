import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { findExecutable } from "../core/executables.ts";
import { dockerEndpoint } from "./docker-endpoint.ts";
import { type Obstacle, podmanObstacle } from "./podman-user.ts";

/** The command line through which containers are run. */
export interface ContainerClient {
  readonly name: "podman" | "docker";
  readonly path: string;
}

/**
 * Looks for podman, then docker, by what their files say and without starting either: a client without any daemon to talk to, or one that
 * this user was never given the means to use, is no engine. Whether one that is set up also works shows when it runs, and is then an error.
 *
 * @returns the client to use, or what keeps those that are installed from being an engine for this user
 */
export function findContainerClient(
  env: Environment,
): { readonly client: ContainerClient } | { readonly obstacles: readonly Obstacle[] } {
  const obstacles: Obstacle[] = [];
  for (const name of ["podman", "docker"] as const) {
    const path = findExecutable(name, env);
    if (path === undefined) continue;
    const obstacle = name === "podman" ? podmanObstacle(env) : dockerObstacle(env);
    if (obstacle === undefined) return { client: { name, path } };
    obstacles.push(obstacle);
  }
  return { obstacles };
}

function dockerObstacle(env: Environment): Obstacle | undefined {
  const endpoint = dockerEndpoint(env);
  if (endpoint.kind === "none") {
    return { reason: `docker is installed without a daemon (no ${endpoint.socket})`, remedy: "start Docker's daemon" };
  }
  if (endpoint.kind === "forbidden") {
    return {
      reason: `this user may not use Docker's daemon (${endpoint.socket})`,
      remedy: "add the user to the group that owns the socket",
    };
  }
  return undefined;
}

/** How errors speak of what wants containers. */
export interface ContainerUse {
  readonly asked: string;
  /** What can be done without them, after "or". */
  readonly instead: string;
}

export const jobUse: ContainerUse = {
  asked: "SLIPWAY_ENGINE=container",
  instead: "set SLIPWAY_ENGINE=process to run without containers",
};

export function requireContainerClient(env: Environment, { asked, instead }: ContainerUse = jobUse): ContainerClient {
  const search = findContainerClient(env);
  if ("client" in search) return search.client;
  const reasons = search.obstacles.map(({ reason }) => reason);
  const remedy = search.obstacles[0]?.remedy ?? "install podman and runc";
  throw new UserError(
    { code: "engine-unavailable", culprit: asked },
    `${asked}: ${reasons.length > 0 ? reasons.join(", and ") : "neither podman nor docker is installed"}.`,
    `${remedy.charAt(0).toUpperCase()}${remedy.slice(1)}, or ${instead}.`,
  );
}
