import { Failure } from "../core/errors.ts";
import { type CallOutcome, placeOf } from "../engine/calls/calls.ts";
import { type Sink, writeTo } from "../engine/flow.ts";
import { wholeProgram } from "../engine/protocol.ts";
import { absoluteVolumes } from "../engine/volumes.ts";
import { callEngine, placedResources } from "./call-engine.ts";
import type { CallOptions } from "./call-options.ts";
import { callersFolder } from "./callers-folder.ts";
import type { CheckedOptions } from "./check-options.ts";
import { containerImage, imageVariables } from "./images.ts";
import { type RanIn, revive } from "./remote-error.ts";

/** Calls to make, with callbacks for results and output. */
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
  /** Called once per call when it has ended, with its result or error. */
  readonly onSettled: (index: number, settled: PromiseSettledResult<unknown>) => void;
  readonly onOutput: Sink;
}

/**
 * Makes calls on the chosen engine, in this program's image if it has one.
 *
 * @throws UserError or Failure if the engine does not work, or leaves a call out
 */
export async function makeCalls(calls: Calls): Promise<void> {
  const { name, inputs, programArguments, options, site, onSettled, onOutput, labels } = calls;
  const engine = callEngine();
  const images = imageVariables();
  const image = Object.keys(images).length > 0 ? containerImage(options.tag) : undefined;
  const network = options.network ?? "none";
  const place = placeOf(engine.kind, image);
  const kind = image === undefined ? "process" : engine.kind;
  const resources = await placedResources(name, options.resources);
  const ranIn: RanIn = { kind, network, memory: resources.memory, site };
  let settled = 0;
  const onOutcome = (index: number, outcome: CallOutcome) => {
    settled += 1;
    onSettled(index, settle(name, outcome, place, ranIn));
  };
  await engine.run(
    {
      ...(image === undefined ? {} : { image }),
      programArguments,
      env: { ...images, ...options.env },
      network,
      resources,
      name,
      inputs,
      ...(options.volumes === undefined ? {} : { volumes: absoluteVolumes(options.volumes, callersFolder()) }),
      ...(options.parallelism === undefined ? {} : { parallelism: options.parallelism }),
      ...(options.retries === undefined ? {} : { retries: options.retries }),
      ...(options.timeLimit === undefined ? {} : { timeLimit: options.timeLimit }),
      ...(labels === undefined ? {} : { labels }),
    },
    { onOutput, onOutcome },
  );
  if (settled === inputs.length) return;
  throw new Failure(
    { code: "function-failed", culprit: name },
    `Only ${settled} of ${inputs.length} calls of ${JSON.stringify(name)} ran on the engine ${engine.kind}.`,
    "Report this error, with the options of the function.",
  );
}

/** Makes one call and returns its result, or throws its error. */
export async function makeCall(
  calls: Pick<Calls, "name" | "programArguments" | "options" | "site"> & { readonly input: string },
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

function settle(name: string, outcome: CallOutcome, place: string, ranIn: RanIn): PromiseSettledResult<unknown> {
  if ("reply" in outcome) {
    const { reply } = outcome;
    return "error" in reply
      ? { status: "rejected", reason: revive(reply.error, place, ranIn) }
      : { status: "fulfilled", value: reply.result };
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
