import { z } from "zod";
import type { Environment } from "../core/environment.ts";
import type { UserError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { readConfiguration } from "./configuration.ts";
import type { Document } from "./document.ts";
import { issuesOf } from "./mistakes.ts";
import { architectureLabel, type InstanceType, type JobResources, type PlacedResources } from "./resources.ts";
import { checked, complaint, memory, named, number, strictFields, text } from "./schema-words.ts";

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

/** Known without configuration. No node is chosen by them but for having a graphics processor: how nodes are labelled is their cluster's matter. */
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

const isName = (part: string) => /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/.test(part);

/** Names of labels and resources: `pool`, `example.com/pool`. */
const isQualified = (key: string) =>
  key.length < 300 && /^([a-z0-9]([a-z0-9.-]*[a-z0-9])?\/)?[^/]+$/.test(key) && isName(key.split("/").at(-1) ?? "");

const labelled = checked(named(z.string()), (labels) => {
  const wrong = Object.entries(labels).find(([key, value]) => !isQualified(key) || !(value === "" || isName(value)));
  return wrong === undefined
    ? undefined
    : [
        `has ${wrong.join("=")}, which is not a label`,
        "Write labels as nodes have them, in quotes where they look like numbers.",
      ];
});

/** The form of a type in the configuration file. */
const instanceTypeFields = strictFields("a field of an instance type", {
  cpu: number(0.001, 10_000, false),
  memory,
  gpu: number(0, 64, true).default(0),
  gpuResource: checked(z.string(), (value) =>
    value.includes("/") && isQualified(value)
      ? undefined
      : ["is not the name of a resource", "Write it as the device plugin does, such as amd.com/gpu."],
  ).exactOptional(),
  architecture: checked(z.string(), (value) =>
    value === "amd64" || value === "arm64" ? undefined : ["is not an architecture", "Write amd64 or arm64."],
  ).exactOptional(),
  priorityClass: checked(z.string(), (value) =>
    /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(value)
      ? undefined
      : ["is not the name of a priority class", "`kubectl get priorityclasses` lists those of the cluster."],
  ).exactOptional(),
  spot: z.boolean({ error: complaint("is neither true nor false", "Write true or false.") }).exactOptional(),
  nodeSelector: labelled.default({}),
  tolerations: z
    .array(
      strictFields("a field of a toleration", {
        key: text,
        value: text.optional(),
        effect: checked(z.string(), (value) =>
          ["NoSchedule", "PreferNoSchedule", "NoExecute"].includes(value)
            ? undefined
            : [
                "is not an effect of a taint",
                "Write NoSchedule, PreferNoSchedule or NoExecute, or leave it out for all.",
              ],
        ).optional(),
      }),
    )
    .default([])
    .transform((tolerations) =>
      tolerations.map(({ key, value, effect }) => ({
        key,
        operator: value === undefined ? ("Exists" as const) : ("Equal" as const),
        ...(value === undefined ? {} : { value }),
        ...(effect === undefined ? {} : { effect }),
      })),
    ),
}).transform(
  ({ architecture, nodeSelector, ...type }): InstanceType => ({
    ...type,
    nodeSelector: architecture === undefined ? nodeSelector : { ...nodeSelector, [architectureLabel]: architecture },
  }),
);

const section = z.object({ instanceTypes: named(instanceTypeFields).default({}) });

export type InstanceTypes = Readonly<Record<string, InstanceType>>;

/**
 * {@link defaultInstanceTypes}, and over them those of a configuration file.
 *
 * @throws UserError with file, line, column and field of every mistake in them
 */
export function instanceTypesIn(document: Document): InstanceTypes {
  const parsed = section.safeParse(document.value ?? {});
  if (!parsed.success) throw document.error(issuesOf(parsed.error.issues, document.value));
  return { ...defaultInstanceTypes, ...parsed.data.instanceTypes };
}

/** {@link instanceTypesIn} the user's configuration file. */
export async function readInstanceTypes(env: Environment): Promise<InstanceTypes> {
  return instanceTypesIn((await readConfiguration(env)).document);
}

/** What is wrong with a name that is none of the known types, and what to do. */
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

/**
 * Resources with the fields of their instance type, over which their own win.
 *
 * @param error for a name that is no instance type
 */
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
