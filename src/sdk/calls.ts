import { absoluteVolumes } from "../containers/volumes.ts";
import { Failure } from "../core/errors.ts";
import { interruptible } from "../core/interrupts.ts";
import { userPath } from "../core/user-path.ts";
import type { Bodies } from "../functions/frames.ts";
import type { CallsStart } from "../functions/program-protocol.ts";
import { chosenEngine } from "./call-engine.ts";
import type { CallOptions } from "./call-options.ts";
import type { CheckedOptions } from "./check-options.ts";
import { type Batch, type BatchListener, type Helper, openHelper } from "./helper.ts";
import { containerImage, imageVariables } from "./images.ts";
import { useFolder } from "./own-place.ts";
import { revive } from "./remote-error.ts";
import type { Step } from "./steps.ts";
import { decodeValue } from "./values.ts";

export interface Calls {
  readonly name: string;
  /** Default: those of this process. */
  readonly programArguments?: readonly string[];
  readonly options: CheckedOptions<CallOptions> & { readonly parallelism?: number };
  /** The stack of the caller, for errors. */
  readonly site: string;
  readonly step: Step;
}

type Settled = PromiseSettledResult<unknown> | Promise<PromiseSettledResult<unknown>>;

/** Opens the connection to the helper. @throws UserError or Failure if the engine cannot be used */
export async function prepareCalls(): Promise<Helper> {
  chosenEngine();
  const helper = await openHelper();
  useFolder(helper);
  return helper;
}

/** Starts calls of one function. @param items how many; null: not known yet. Undefined: a single call */
export async function startCalls(
  { name, programArguments = process.argv.slice(2), options, site, step }: Calls,
  items: number | null | undefined,
  onSettled: (index: number, settled: Settled) => void,
): Promise<Batch> {
  const helper = await prepareCalls();
  const images = imageVariables();
  const { tag, env, network = "none", resources = {}, volumes, keep, version, ...rest } = options;
  const start: CallsStart = {
    id: step.id,
    after: step.after,
    name,
    items: items === undefined ? 1 : items,
    isMap: items !== undefined,
    ...(Object.keys(images).length > 0 ? { image: containerImage(tag) } : {}),
    programArguments,
    env: { ...images, ...env },
    network,
    resources,
    ...(volumes === undefined ? {} : { volumes: absoluteVolumes(volumes, userPath()) }),
    ...(keep === true ? { keep: version === undefined ? {} : { version } } : {}),
    ...rest,
  };
  const listener: BatchListener = {
    onResult: (index, bodies) => onSettled(index, settledOf(bodies)),
    onError: (index, error) => onSettled(index, { status: "rejected", reason: revive(error, site) }),
  };
  return helper.start(start, listener);
}

function settledOf(bodies: readonly Buffer[]): Settled {
  try {
    const value = decodeValue(bodies);
    if (!(value instanceof Promise)) return { status: "fulfilled", value };
    return Promise.allSettled([value]).then(([settled]) => settled);
  } catch (reason) {
    return { status: "rejected", reason };
  }
}

export async function makeCall(calls: Calls, input: Bodies): Promise<unknown> {
  let settled: Settled | undefined;
  const batch = await startCalls(calls, undefined, (_, value) => {
    settled = value;
  });
  void batch.item(0, input);
  batch.close();
  await finished(batch);
  const result = (await settled) ?? leftOut(calls.name, 1, 1);
  if (result.status === "fulfilled") return result.value;
  throw result.reason;
}

/** Waits for a batch. A signal to this process ends its calls first. @throws UserError or Failure of the engine */
export function finished(batch: Batch): Promise<void> {
  return interruptible(batch.done, () => batch.cancel());
}

export function leftOut(name: string, missing: number, count: number): PromiseRejectedResult {
  const problem = `Only ${count - missing} of ${count} calls of ${JSON.stringify(name)} ran.`;
  const remedy = "Report this error, with the options of the function.";
  return { status: "rejected", reason: new Failure({ code: "function-failed", culprit: name }, problem, remedy) };
}
