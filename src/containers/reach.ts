import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { type ContainerClient, type ContainerUse, jobUse } from "./client.ts";
import { dockerEndpoint } from "./docker-endpoint.ts";
import { isFromLoopback } from "./loopback.ts";

/** @throws UserError for an image of a loopback registry if the engine may run on another machine */
export function checkReach(
  client: ContainerClient,
  image: string,
  env: Environment,
  { instead }: ContainerUse = jobUse,
): void {
  const elsewhere = settingThatLeadsAway(client, env);
  if (elsewhere === undefined || !isFromLoopback(image)) return;
  throw new UserError(
    { code: "image-pull-failed", culprit: image },
    `${elsewhere} names an engine that does not share this machine's network, so it cannot pull ${image}.`,
    `Set SLIPWAY_REGISTRY to a registry that both can reach, or ${instead}.`,
  );
}

export function isOnThisMachine(client: ContainerClient, env: Environment): boolean {
  return settingThatLeadsAway(client, env) === undefined;
}

function settingThatLeadsAway(client: ContainerClient, env: Environment): string | undefined {
  const host = env["CONTAINER_HOST"];
  if (client.name === "podman") return host && !host.startsWith("unix://") ? `CONTAINER_HOST=${host}` : undefined;
  const endpoint = dockerEndpoint(env);
  return endpoint.kind === "elsewhere" ? endpoint.name : undefined;
}
