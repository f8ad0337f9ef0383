import type { Resources } from "../config/limits.ts";
import { parseBytes, parseDuration } from "../config/quantity.ts";
import type { JobResources } from "../config/resources.ts";
import { volumeMistakes } from "../config/volumes.ts";
import { UserError } from "../core/errors.ts";
import { isRecord } from "../core/is-record.ts";
import { nearest } from "../core/nearest.ts";
import { referenceMistake } from "../core/secret-reference.ts";
import type { CallOptions } from "./call-options.ts";

/** Undefined: the value is right. */
type Mistake = readonly [problem: string, remedy: string] | undefined;
type Check = (value: unknown) => Mistake;

const isText = (value: unknown): value is string => typeof value === "string";

function number(minimum: number, maximum: number, isWhole: boolean): Check {
  const kind = isWhole ? "a whole number" : "a number";
  return (value) => {
    const isRight = typeof value === "number" && value >= minimum && value <= maximum;
    if (isRight && (!isWhole || Number.isInteger(value))) return undefined;
    return [`is ${shown(value)}`, `Give ${kind} from ${minimum} to ${maximum}.`];
  };
}

function bytesOf(value: unknown): number | undefined {
  const bytes = isText(value) ? parseBytes(value) : value;
  return typeof bytes === "number" && Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}

function secondsOf(value: unknown): number | undefined {
  const seconds = isText(value) ? parseDuration(value) : value;
  return typeof seconds === "number" && Number.isSafeInteger(seconds) && seconds > 0 ? seconds : undefined;
}

/** Seconds, also a part of one: `20ms`. */
function waitOf(value: unknown = 0): number | undefined {
  const milliseconds = isText(value) ? /^(\d{1,7})ms$/.exec(value)?.[1] : undefined;
  if (milliseconds !== undefined) return Number(milliseconds) / 1000;
  return typeof value === "number" && value >= 0 && value < 3600 ? value : secondsOf(value);
}

const isFlag: Check = (value) =>
  typeof value === "boolean" ? undefined : ["is neither true nor false", "Write one of them."];

/** The limits and units of src/jobs/schema.ts. */
const resourceChecks: Readonly<Record<keyof Resources, Check>> = {
  cpu: number(0.001, 10_000, false),
  memory: (value) =>
    bytesOf(value) === undefined
      ? [`is ${shown(value)}, which is not an amount of memory`, "Write it like 512MiB, 2GB, or a number of bytes."]
      : undefined,
  gpu: number(0, 1000, true),
  instanceType: (value) =>
    isText(value) && value !== "" ? undefined : [`is ${shown(value)}, not a text`, "Name an instance type."],
};

const checks = {
  tag: (value) => (isText(value) ? undefined : ["is not a text", "Name a key of the pipeline's `bases`."]),
  env: (value) =>
    isRecord(value) && Object.values(value).every(isText)
      ? Object.values(value)
          .map((each) => referenceMistake(each as string))
          .find((each) => each !== undefined)
      : ["does not map names to texts", "Give texts."],
  network: (value) =>
    value === "none" || value === "host"
      ? undefined
      : [`is ${shown(value)}, neither none nor host`, "Write none, or host to use this machine's network."],
  resources: (value) => (isRecord(value) ? undefined : ["is not an object", 'Write it like { memory: "512MiB" }.']),
  volumes: (value) =>
    isRecord(value) ? undefined : ["is not an object", 'Write it like { "/data": { claim: "NAME" } }.'],
  retries: number(0, 100, true),
  timeLimit: (value) =>
    secondsOf(value) === undefined
      ? [`is ${shown(value)}, which is not a duration`, "Write it like 90s, 1h30m, 2d, or a number of seconds."]
      : undefined,
  keep: isFlag,
  version: (value) => (isText(value) && value !== "" ? undefined : ["is not a text", 'Write it like "3".']),
  fresh: isFlag,
  maxCalls: number(1, 1_000_000_000, true),
  concurrency: number(1, 10_000, true),
  batch: (value) =>
    isRecord(value) &&
    Number.isInteger(value["size"]) &&
    (value["size"] as number) > 0 &&
    waitOf(value["wait"]) !== undefined
      ? undefined
      : ["is not a batch", 'Write it like { size: 32, wait: "20ms" }.'],
  keepWarm: (value) =>
    secondsOf(value) === undefined
      ? [`is ${shown(value)}, which is not a duration`, "Write it like 5m, or a number of seconds."]
      : undefined,
  args: (value) =>
    Array.isArray(value) && value.every(isText) ? undefined : ["is not a list of texts", "Give a list of texts."],
  parallelism: (value) =>
    Number.isInteger(value) && (value as number) > 0
      ? undefined
      : [`is ${shown(value)}, which is not a number of calls`, "Set it to a whole number of 1 or more."],
  ordered: isFlag,
  settled: isFlag,
} satisfies Record<string, Check>;

/** Options as engines take them: memory is in bytes, a time limit in seconds. */
export type CheckedOptions<Options extends CallOptions> = Omit<
  Options,
  "resources" | "timeLimit" | "batch" | "keepWarm"
> & {
  readonly resources?: JobResources;
  readonly timeLimit?: number;
  readonly batch?: { readonly size: number; readonly wait: number };
  readonly keepWarm?: number;
};

const usual = ["tag", "env", "network", "resources", "volumes", "retries", "timeLimit"] as const;
/** Options of functions, which the whole program does not have. */
export const ofFunctions = ["keep", "version", "fresh", "maxCalls", "concurrency", "batch", "keepWarm"] as const;

/**
 * Checks options, since not every program has types.
 *
 * @param subject what has them, such as `"score"`
 * @param more names of options besides those of every call
 * @throws UserError that names the first wrong option
 */
export function checkOptions<Options extends CallOptions>(
  subject: string,
  options: Options,
  ...more: readonly (keyof typeof checks)[]
): CheckedOptions<Options> {
  checkEntries(subject, "", "an option", options, [...usual, ...more], checks);
  for (const { path, problem, remedy } of volumeMistakes(options.volumes ?? {}).slice(0, 1)) {
    const culprit = ["volumes", ...path].join(".");
    throw new UserError({ code: "value-invalid", culprit }, `${subject}: ${culprit} ${problem}.`, remedy);
  }
  const { resources, timeLimit, batch, keepWarm, ...others } = options;
  const [seconds, warm] = [secondsOf(timeLimit), secondsOf(keepWarm)];
  const rest = {
    ...others,
    ...(seconds === undefined ? {} : { timeLimit: seconds }),
    ...(warm === undefined ? {} : { keepWarm: warm }),
    ...(batch === undefined ? {} : { batch: { size: batch.size, wait: waitOf(batch.wait) ?? 0 } }),
  };
  if (resources === undefined) return rest;
  checkEntries(subject, "resources.", "a resource", resources, Object.keys(resourceChecks), resourceChecks);
  const { memory, instanceType, ...limits } = resources;
  const bytes = bytesOf(memory);
  return {
    ...rest,
    resources: {
      ...limits,
      ...(bytes === undefined ? {} : { memory: bytes }),
      ...(instanceType === undefined ? {} : { instance_type: instanceType }),
    },
  };
}

function checkEntries(
  subject: string,
  prefix: string,
  what: string,
  given: object,
  known: readonly string[],
  checks: Readonly<Record<string, Check>>,
): void {
  for (const [name, value] of Object.entries(given)) {
    const isKnown = known.includes(name);
    if (isKnown && value === undefined) continue;
    const mistake = isKnown ? checks[name]?.(value) : unknown(name, what, known);
    if (mistake === undefined) continue;
    const [problem, remedy] = mistake;
    const path = `${prefix}${name}`;
    throw new UserError({ code: "value-invalid", culprit: path }, `${subject}: ${path} ${problem}.`, remedy);
  }
}

function unknown(name: string, what: string, known: readonly string[]): Mistake {
  const meant = nearest(name, known);
  const hint = meant === undefined ? "" : ` (did you mean ${meant}?)`;
  return [`is not ${what}${hint}`, `Known here: ${known.join(", ")}.`];
}

function shown(value: unknown): string {
  return isText(value) ? JSON.stringify(value) : String(value);
}
