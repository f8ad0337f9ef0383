import { z } from "zod";
import { checked, memory, named, number, strictFields, text } from "../deployment/schema.ts";

/** The resources of each container of a service. */
export interface InstanceType {
  /** Processors, fractions allowed. */
  readonly cpu: number;
  /** Bytes. */
  readonly memory: number;
  /** Whole graphics processors. */
  readonly gpu: number;
  /** Labels of the nodes that have it. */
  readonly nodeSelector: Readonly<Record<string, string>>;
  /** Taints of those nodes that it is let past. */
  readonly tolerations: readonly Toleration[];
}

export interface Toleration {
  readonly key: string;
  readonly operator: "Exists" | "Equal";
  readonly value?: string;
  readonly effect?: string;
}

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

const labelled = checked(named(z.string()), (labels) => {
  const isName = (part: string) => /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/.test(part);
  const isKey = (key: string) =>
    key.length < 300 && /^([a-z0-9]([a-z0-9.-]*[a-z0-9])?\/)?[^/]+$/.test(key) && isName(key.split("/").at(-1) ?? "");
  const wrong = Object.entries(labels).find(([key, value]) => !isKey(key) || !(value === "" || isName(value)));
  return wrong === undefined
    ? undefined
    : [
        `has ${wrong.join("=")}, which is not a label`,
        "Write labels as nodes have them, in quotes where they look like numbers.",
      ];
});

/** The form of a type in the configuration file. */
export const instanceTypeFields = strictFields("a field of an instance type", {
  cpu: number(0.001, 10_000, false),
  memory,
  gpu: number(0, 64, true).default(0),
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
});
