import { UserError } from "../../core/errors.ts";
import { countInterval } from "../../core/heartbeat.ts";
import { podFailure } from "../../kubernetes/failure.ts";
import {
  conditionOf,
  containerState,
  hasBegun,
  indexAnnotation,
  type Job,
  matrixAnnotation,
  type Pod,
} from "../../kubernetes/objects.ts";
import { countWords, type FailedItem, type ItemCounts } from "../engine.ts";
import { itemCount, itemValues, type Matrix, maximumItems, usualParallelism } from "../matrix.ts";
import type { Program } from "../program.ts";

/** Milliseconds between looks at the counts. */
const interval = 5000;

export function sweepOf({ matrix, parallelism, retries }: Program) {
  if (matrix === undefined) return undefined;
  const completions = itemCount(matrix);
  return {
    fields: {
      completionMode: "Indexed",
      completions,
      parallelism: Math.min(completions, parallelism ?? usualParallelism),
      backoffLimitPerIndex: retries,
      // For all items together: old clusters do not know the limit above.
      backoffLimit: completions * (retries + 1),
    },
    annotations: { [matrixAnnotation]: JSON.stringify(matrix) },
  } as const;
}

/** The number of a pod's item. Undefined if the job has no matrix. */
export function indexOf({ metadata }: Pod): number | undefined {
  const index = metadata.annotations?.[indexAnnotation];
  return index === undefined ? undefined : Number(index);
}

/** Numbers as Kubernetes writes them: `0,3-5`. */
function numbersOf(text = ""): number[] {
  return text.split(",").flatMap((range) => {
    if (range === "") return [];
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: Math.min(last - first + 1, maximumItems) }, (_, offset) => first + offset);
  });
}

export function itemsOf({ job, pods }: { readonly job: Job; readonly pods: readonly Pod[] }): ItemCounts {
  const failed = numbersOf(job.status?.failedIndexes);
  const matrix = matrixOf(job);
  const isOver = conditionOf(job, "Complete") !== undefined || conditionOf(job, "Failed") !== undefined;
  const running = isOver ? [] : pods.filter(({ status }) => status?.phase === "Running").map(indexOf);
  // A list of jobs with many failures looks at many pods.
  const last = new Map(pods.map((pod) => [indexOf(pod), pod]));
  return {
    total: job.spec.completions ?? 0,
    succeeded: job.status?.succeeded ?? 0,
    failed: failed.length,
    running: new Set(running).size,
    failures: failed.map((index) => failureOf(index, matrix, last.get(index))),
  };
}

/** Empty if somebody has changed it: one job must not hide the others of a list. */
function matrixOf({ metadata }: Job): Matrix {
  const isText = (value: unknown) => typeof value === "string";
  try {
    const matrix = JSON.parse(metadata.annotations?.[matrixAnnotation] ?? "{}") as Matrix;
    return Object.values(matrix).every((values) => Array.isArray(values) && values.every(isText)) ? matrix : {};
  } catch {
    return {};
  }
}

function failureOf(index: number, matrix: Matrix, pod: Pod | undefined): FailedItem {
  const terminated = pod && containerState(pod).terminated;
  const reason = pod && podFailure(pod);
  return {
    index,
    values: itemValues(matrix, index),
    ...(terminated ? { exitStatus: terminated.exitCode } : {}),
    ...(reason === undefined ? {} : { reason }),
  };
}

export function isItemOver({ status }: Job, item: number): boolean {
  return [status?.completedIndexes, status?.failedIndexes].some((text) => numbersOf(text).includes(item));
}

/** Pods in the order of their items, or those of one item. */
export function byItem(pods: readonly Pod[], item?: number): readonly Pod[] {
  if (item !== undefined) return pods.filter((pod) => indexOf(pod) === item);
  return pods.toSorted((one, other) => (indexOf(one) ?? 0) - (indexOf(other) ?? 0));
}

export function requireItem(id: string, { spec }: Job, item: number | undefined): void {
  const total = spec.completionMode === "Indexed" ? (spec.completions ?? 0) : 0;
  if (item === undefined || item < total) return;
  const identity = { code: "command-line-invalid", culprit: "--item" } as const;
  if (total === 0) throw new UserError(identity, `Job ${id} has no items.`, "Leave --item out.");
  throw new UserError(identity, `Job ${id} has no item ${item}.`, `Give a number from 0 to ${total - 1}.`);
}

/** Prints how many items are queued, running and done: soon after a change, else now and then. @returns ends it */
export function tellItems(
  notice: (text: string) => void,
  look: () => { readonly job: Job; readonly pods: readonly Pod[] } | undefined,
): () => void {
  let told = "";
  let since = 0;
  const timer = setInterval(() => {
    const observed = look();
    if (observed?.job.spec.completionMode !== "Indexed" || !observed.pods.some(hasBegun)) return;
    const words = countWords(itemsOf(observed));
    if (words === told && Date.now() - since < countInterval) return;
    told = words;
    since = Date.now();
    notice(words);
  }, interval);
  return () => clearInterval(timer);
}

export class LinePrefix {
  readonly #prefix: string;
  #isStart = true;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  write(data: Buffer): Buffer {
    if (data.length === 0) return data;
    // In latin1, every byte is a character.
    const text = data.toString("latin1").replaceAll(/\n(?=[\s\S])/g, `\n${this.#prefix}`);
    const start = this.#isStart ? this.#prefix : "";
    this.#isStart = text.endsWith("\n");
    return Buffer.from(start + text, "latin1");
  }

  end(): Buffer {
    return Buffer.from(this.#isStart ? "" : "\n");
  }
}
