import { absoluteVolumes } from "../containers/volumes.ts";
import { Failure } from "../core/errors.ts";
import { type Sink, writeTo } from "../core/flow.ts";
import { wholeProgram } from "../core/protocol.ts";
import { userPath } from "../core/user-path.ts";
import { type CallOutcome, placeOf } from "../functions/calls.ts";
import { HelperCalls } from "../functions/helper.ts";
import { callEngine, placedResources } from "./call-engine.ts";
import { type CallPlace, receiveFiles, sendFiles } from "./call-files.ts";
import type { CallOptions } from "./call-options.ts";
import type { CheckedOptions } from "./check-options.ts";
import { containerImage, imageVariables } from "./images.ts";
import { folderForFiles } from "./own-place.ts";
import { BatchRecord, targetVariable } from "./recorded.ts";
import { type RanIn, revive } from "./remote-error.ts";
import type { Step } from "./steps.ts";

export interface Calls {
  readonly name: string;
  /** One JSON list of arguments per call. */
  readonly inputs: readonly string[];
  readonly programArguments: readonly string[];
  readonly options: CheckedOptions<CallOptions> & { readonly parallelism?: number };
  /** See `CallBatch`. */
  readonly labels?: "plain" | "colored";
  /** The stack of the caller, for errors. */
  readonly site: string;
  readonly step: Step;
  /** Called once per call when it has ended, with its result or error. */
  readonly onSettled: (index: number, settled: PromiseSettledResult<unknown>) => void;
  readonly onOutput: Sink;
}

/** Makes calls on the chosen engine. @throws UserError or Failure if the engine does not work, or leaves a call out */
export async function makeCalls(calls: Calls): Promise<void> {
  const { name, inputs, programArguments, options, site, step, onSettled, onOutput, labels } = calls;
  const keep = options.keep === true;
  const target = process.env[targetVariable];
  const engine = callEngine(keep);
  const images = imageVariables();
  const image = Object.keys(images).length > 0 ? containerImage(options.tag) : undefined;
  const network = options.network ?? "none";
  const place = placeOf(engine.kind, image);
  if (keep && !(engine instanceof HelperCalls)) sayNothingIsKept();
  const kind = image === undefined ? "process" : engine.kind;
  const resources = await placedResources(name, options.resources);
  const ranIn: RanIn = { kind, network, memory: resources.memory, site };
  const callPlace = { kind: engine.kind, image };
  const sent = await sendFiles(inputs, callPlace);
  const files = engine.kind === "kubernetes" ? undefined : folderForFiles();
  const isMap = labels !== undefined;
  const record = new BatchRecord(
    { engine: kind, images: image === undefined ? [] : [image] },
    { id: step.id, name, after: step.after, items: inputs.length, isMap },
  );
  const open = new Set(inputs.keys());
  // Files may have to reach the registry before a result is one.
  const settling: Promise<void>[] = [];
  const end = async (index: number, outcome: CallOutcome) => {
    const result = await settle(name, outcome, place, ranIn, callPlace);
    record.ended(index, result, "kept" in outcome);
    onSettled(index, result);
  };
  const onOutcome = (index: number, outcome: CallOutcome) => {
    open.delete(index);
    settling.push(end(index, outcome));
  };
  const run = engine.run(
    {
      ...(image === undefined ? {} : { image }),
      programArguments,
      env: { ...images, ...options.env },
      network,
      resources,
      id: step.id,
      after: step.after,
      name,
      inputs: sent,
      ...(files === undefined ? {} : { files }),
      ...(options.volumes === undefined ? {} : { volumes: absoluteVolumes(options.volumes, userPath()) }),
      ...(options.parallelism === undefined ? {} : { parallelism: options.parallelism }),
      ...(options.retries === undefined ? {} : { retries: options.retries }),
      ...(keep
        ? {
            keep: {
              ...(options.version === undefined ? {} : { version: options.version }),
              ...(target ? { program: target } : {}),
            },
          }
        : {}),
      ...(options.timeLimit === undefined ? {} : { timeLimit: options.timeLimit }),
      ...(labels === undefined ? {} : { labels }),
    },
    {
      onStart: (index, where) => record.started(index, where),
      onOutput: (data) => {
        record.printed(data);
        return onOutput(data);
      },
      onOutcome,
    },
  );
  await run.catch((error) => {
    // Of all that did not come to an end, one tells why.
    for (const index of [...open].slice(0, 1)) record.failed(index, error);
    throw error;
  });
  await Promise.all(settling);
  if (open.size === 0) return;
  throw new Failure(
    { code: "function-failed", culprit: name },
    `Only ${inputs.length - open.size} of ${inputs.length} calls of ${JSON.stringify(name)} ran on the engine ${engine.kind}.`,
    "Report this error, with the options of the function.",
  );
}

let isSaid = false;

function sayNothingIsKept(): void {
  if (!isSaid) process.stderr.write("slipway: `keep` has no effect: calls run in processes, without an image.\n");
  isSaid = true;
}

export async function makeCall(
  calls: Pick<Calls, "name" | "programArguments" | "options" | "site" | "step"> & { readonly input: string },
) {
  let settled: PromiseSettledResult<unknown> | undefined;
  await makeCalls({
    ...calls,
    inputs: [calls.input],
    onSettled: (_, value) => {
      settled = value;
    },
    onOutput: (data) => writeTo(process.stderr, data),
  });
  if (settled?.status === "fulfilled") return settled.value;
  throw settled?.reason;
}

async function settle(
  name: string,
  outcome: CallOutcome,
  place: string,
  ranIn: RanIn,
  callPlace: CallPlace,
): Promise<PromiseSettledResult<unknown>> {
  if ("reply" in outcome) {
    const { reply } = outcome;
    if ("error" in reply) return { status: "rejected", reason: revive(reply.error, place, ranIn) };
    const [settled] = await Promise.allSettled([receiveFiles(reply.result, callPlace)]);
    return settled;
  }
  const { status, reason } = outcome;
  // runInImage also works for programs that do not call `main`.
  if (name === wholeProgram && status === 0 && reason === undefined) return { status: "fulfilled", value: undefined };
  const subject = name === wholeProgram ? "The program" : JSON.stringify(name);
  const problem = reason
    ? `${subject} failed in ${place}: ${reason.problem}`
    : `${subject} ended with status ${status} in ${place} before it returned a result.`;
  const identity = { code: "function-failed", culprit: name } as const;
  return { status: "rejected", reason: new Failure(identity, problem, reason?.remedy ?? remedyOf(status, ranIn)) };
}

/** Keep python/slipway/_functions.py the same. */
function remedyOf(status: number, { kind, memory }: RanIn): string {
  if (status === 137 && kind === "container" && memory !== undefined)
    return `It was killed, most often because it used more than its \`resources.memory\` of ${memory} bytes. Raise that, or give it less to do.`;
  if (status === 137)
    return "It was killed, most often because the machine ran out of memory. Lower `parallelism`, or give it less to do.";
  if (status === 0) return "The program must call main after it has defined its functions.";
  return "Look at what it printed above.";
}
