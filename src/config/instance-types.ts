import type { Environment } from "../core/environment.ts";
import type { UserError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { readConfig } from "./config-file.ts";
import type { ConfiguredInstanceType } from "./config-schema.ts";
import { architectureLabel, type InstanceType, type JobResources, type PlacedResources } from "./resources.ts";

const GiB = 2 ** 30;

function processors(cpu: number, memory: number): InstanceType {
  return { cpu, memory: memory * GiB, gpu: 0, nodeSelector: {}, tolerations: [] };
}

/** One graphics processor, on nodes that the taint of NVIDIA's operator keeps for those who use one. */
function graphics(cpu: number, memory: number): InstanceType {
  return {
    ...processors(cpu, memory),
    gpu: 1,
    tolerations: [{ key: "nvidia.com/gpu", operator: "Exists", effect: "NoSchedule" }],
  };
}

/** No node is chosen by them but for having a graphics processor: each cluster labels nodes in its own way. */
export const defaultInstanceTypes: Readonly<Record<string, InstanceType>> = {
  C1: processors(1, 0.5),
  C2: processors(1, 1),
  C3: processors(2, 2),
  C4: processors(2, 4),
  C5: processors(4, 8),
  C6: processors(8, 16),
  C7: processors(12, 30),
  C8: processors(16, 60),
  C9: processors(24, 120),
  C10: processors(32, 244),
  P4000: graphics(8, 30),
  P5000: graphics(8, 30),
  P6000: graphics(8, 30),
  V100: graphics(8, 30),
  RTX4000: graphics(8, 30),
  RTX5000: graphics(8, 30),
  A4000: graphics(8, 45),
  A5000: graphics(8, 45),
  A6000: graphics(8, 45),
  A100: graphics(12, 90),
  "A100-80G": graphics(12, 90),
  H100: graphics(20, 250),
};

export type InstanceTypes = Readonly<Record<string, InstanceType>>;

/** {@link defaultInstanceTypes}, overridden by those of the user's configuration file. */
export async function readInstanceTypes(env: Environment): Promise<InstanceTypes> {
  const { instanceTypes = [] } = await readConfig(env);
  const configured = [...instanceTypes].map(([name, type]) => [name, instanceType(type)] as const);
  return { ...defaultInstanceTypes, ...Object.fromEntries(configured) };
}

function instanceType({ architecture, nodeSelector, tolerations, gpu, ...type }: ConfiguredInstanceType): InstanceType {
  return {
    ...type,
    gpu: gpu ?? 0,
    nodeSelector: {
      ...Object.fromEntries(nodeSelector ?? []),
      ...(architecture === undefined ? {} : { [architectureLabel]: architecture }),
    },
    tolerations: (tolerations ?? []).map(({ key, ...rest }) => ({
      key,
      operator: rest.value === undefined ? "Exists" : "Equal",
      ...rest,
    })),
  };
}

/** The problem with a name that is none of the known types, and the remedy. */
export function unknownType(
  name: string,
  known: readonly string[],
): { readonly problem: string; readonly remedy: string } | undefined {
  if (known.includes(name)) return undefined;
  // Gradient has free machines, and machines with several of a GPU.
  const meant = nearest(name, known) ?? nearest(name.replaceAll(/^free-|x\d\d?$/gi, ""), known);
  const names = new Set([...(meant === undefined ? [] : [meant]), ...known]);
  return {
    problem: `is not an instance type${meant === undefined ? "" : ` (did you mean ${meant}?)`}`,
    remedy: `Known: ${[...names].join(", ")}. More go under instanceTypes of the configuration file.`,
  };
}

/** Resources with the fields of their instance type, over which their own win. */
export async function placedResources(
  { instance_type: name, ...own }: JobResources,
  env: Environment,
  error: (wrong: NonNullable<ReturnType<typeof unknownType>>) => UserError | Promise<UserError>,
): Promise<PlacedResources> {
  if (name === undefined) return own;
  const types = await readInstanceTypes(env);
  const wrong = unknownType(name, Object.keys(types));
  if (wrong) throw await error(wrong);
  return { ...types[name], ...own };
}
