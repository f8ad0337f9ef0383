import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { findExecutable } from "../core/executables.ts";
import { dockerEndpoint } from "./docker-endpoint.ts";
import { type Obstacle, podmanObstacle } from "./podman-user.ts";

export interface ContainerClient {
  readonly name: "podman" | "docker";
  readonly path: string;
}

/** Podman, else docker, if files show that it is set up for this user. Starts neither. */
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

/** Words for errors: what asked for containers, and what to do without them, after "or". */
export interface ContainerUse {
  readonly asked: string;
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
