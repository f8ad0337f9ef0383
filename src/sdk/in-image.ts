import { randomBytes } from "node:crypto";
import type { Network, Resources } from "../engine/limits.ts";
import { callVariable, nonceVariable, type Reply, ResultReader } from "../engine/protocol.ts";
import { Failure, UserError } from "../oci/errors.ts";
import { containerImage, imageVariables } from "./images.ts";
import { encodeJson, type Json, maximumJsonBytes } from "./json.ts";
import { revive } from "./remote-error.ts";
import { runOnEngine } from "./run-function.ts";
import { servedCall } from "./serving.ts";

/** How a function of {@link inImage} runs. */
export interface InImageOptions {
  /** Which of the program's images; by default `default`. */
  readonly tag?: string;
  /** The environment variables that the function sees besides the image's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** `none` by default; `host` is this machine's network. */
  readonly network?: Network;
  /** Limits of a container; none by default. */
  readonly resources?: Resources;
}

/** The program's functions by name. */
export const functions = new Map<string, (...args: never[]) => unknown>();

/**
 * Makes `fn` a function that runs inside this program's image: a fresh container per call, read-only and without network, which
 * starts the same program, runs `fn` there and hands its result back. Where the program has no image, or no container engine is
 * there, it runs in a process of its own on this machine. Define functions at the top of a module, before `main` is called.
 *
 * @param name the function's name, unique in the program
 * @param fn takes and returns JSON; what it prints goes to standard error
 * @returns the function to call. It throws what `fn` throws, with the stack from there; UserError for arguments that are not JSON, a
 *   tag that was not built, or an engine that does not work
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a function that returns nothing has this type
export function inImage<A extends Json[], R extends Json | void>(
  name: string,
  fn: (...args: A) => R | Promise<R>,
  options: InImageOptions = {},
): (...args: A) => Promise<R> {
  if (functions.has(name)) {
    throw new UserError(`Two functions of this program are called ${JSON.stringify(name)}.`, "Give each its own name.");
  }
  functions.set(name, fn);
  return async (...args) => {
    const input = encodeJson(args, `The list of arguments of ${JSON.stringify(name)}`);
    // Already in the image: one function calling another stays where it is.
    if (servedCall !== undefined) return fn(...(JSON.parse(input) as A));
    return (await call(name, input, options)) as R;
  };
}

async function call(name: string, input: string, options: InImageOptions): Promise<unknown> {
  const images = imageVariables();
  const image = Object.keys(images).length > 0 ? containerImage(options.tag) : undefined;
  const nonce = randomBytes(16).toString("hex");
  // A reply wraps the result in a few bytes, and an error is never as long as a result may be.
  const reader = new ResultReader(nonce, maximumJsonBytes + 1024, (data) => process.stderr.write(data));
  const { status, where } = await runOnEngine(image, {
    programArguments: process.argv.slice(2),
    env: { ...images, ...options.env, [callVariable]: name, [nonceVariable]: nonce },
    stdin: input,
    onStdout: (chunk) => reader.write(chunk),
    network: options.network ?? "none",
    resources: options.resources ?? {},
  });
  const reply = reader.end();
  if (reply === undefined) throw new Failure(...noReply(name, status, where));
  const answer = JSON.parse(reply) as Reply;
  if ("error" in answer) throw revive(answer.error, where);
  return answer.result;
}

function noReply(name: string, status: number, where: string): [problem: string, remedy: string] {
  const problem = `${JSON.stringify(name)} ended with status ${status} in ${where} before it gave a result.`;
  if (status === 137) return [problem, "It was killed, most often for want of memory: give it more, or less to do."];
  if (status === 0) return [problem, "The program must call main after it has defined its functions."];
  return [problem, "Look at what it printed above."];
}
