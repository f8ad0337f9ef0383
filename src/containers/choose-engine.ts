import { type EngineDescription, engineIn } from "../config/engine-kind.ts";
import type { Environment } from "../core/environment.ts";
import { type ContainerClient, findContainerClient, requireContainerClient } from "./client.ts";

export type EngineChoice =
  | { readonly kind: "container"; readonly client: ContainerClient }
  | { readonly kind: "kubernetes" }
  | { readonly kind: "process" /** One line, where it was not asked for. */; readonly remark?: string };

/** By `SLIPWAY_ENGINE`, else containers if podman or docker is set up, else processes with a remark that says why. */
export function detectEngine(env: Environment): EngineChoice {
  const wanted = engineIn(env);
  if (wanted === "container") return { kind: "container", client: requireContainerClient(env) };
  if (wanted !== undefined) return { kind: wanted };
  const search = findContainerClient(env);
  if ("client" in search) return { kind: "container", client: search.client };
  const why = search.obstacles.map(({ reason, remedy }) => `${reason}; ${remedy}`).join(", ");
  return {
    kind: "process",
    remark: `slipway: this runs on this machine, not in containers: ${why || "neither podman nor docker is installed"}`,
  };
}

const descriptions = { kubernetes: "pods of Kubernetes", process: "processes of this machine" } as const;

export function describeEngine(choice: EngineChoice): EngineDescription {
  if (choice.kind === "container") return { kind: "container", description: `containers of ${choice.client.name}` };
  return { kind: choice.kind, description: descriptions[choice.kind] };
}
