import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure, UserError } from "../core/errors.ts";
import { onLines } from "../core/lines.ts";
import {
  callVariable,
  filesVariable,
  indexVariable,
  inputsVariable,
  type LoggedReply,
  limitVariable,
  maximumResultFile,
  nonceVariable,
  resultFileVariable,
  resultLine,
} from "../core/protocol.ts";

/** The one function call that this process was started to run. */
interface ServedCall {
  readonly name: string;
  /** The arguments, as JSON. */
  readonly input: () => Promise<string>;
  /** Maximum size of the result in bytes; undefined: the default. */
  readonly limit: number | undefined;
  /** Folder for the content of files; undefined: the engine has none. */
  readonly files: string | undefined;
  /** Writes the result line and ends the process. */
  readonly reply: (json: string, isFine: boolean) => Promise<never>;
}

/**
 * Sends the program's output to standard error, because standard output carries the result. Removes the variables, so
 * that child processes do not serve the call again.
 */
function begin(name: string): ServedCall {
  const take = (variable: string) => {
    const value = process.env[variable];
    delete process.env[variable];
    return value;
  };
  const [nonce = "", inputs, file, limit, files] = [
    nonceVariable,
    inputsVariable,
    resultFileVariable,
    limitVariable,
    filesVariable,
  ].map(take);
  take(callVariable);
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = process.stderr.write.bind(process.stderr);
  // PID 1 of a container ignores signals that it has no handler for.
  process.once("SIGTERM", () => process.exit(143));
  process.once("SIGINT", () => process.exit(130));
  const reply = (json: string, isFine: boolean) =>
    new Promise<never>(() => {
      const line = resultLine(nonce, json);
      const status = isFine ? 0 : 1;
      const size = Buffer.byteLength(line);
      const isLogged = file === undefined || size > maximumResultFile;
      const logged: LoggedReply = { logged: size };
      if (file !== undefined) writeFileSync(file, isLogged ? resultLine(nonce, JSON.stringify(logged)) : line);
      if (isLogged) write(line, () => process.exit(status));
      else process.exit(status);
    });
  const input = async () => (inputs === undefined ? readRequest(name) : readInputs(name, inputs));
  return { name, input, limit: limit === undefined ? undefined : Number(limit), files, reply };
}

/** Reads the first line of standard input. If the caller closes it before it has the result, this process exits. */
function readRequest(call: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let isWhole = false;
    onLines(process.stdin, (line) => {
      isWhole = true;
      resolve(line);
    });
    process.stdin.once("end", () => {
      if (isWhole) process.exit(129);
      reject(argumentsLost(call, "The arguments of the call are cut short."));
    });
    process.stdin.once("error", reject);
  });
}

/** Finds the line of this call in a folder of files, which contain the lines of all calls when joined. */
function readInputs(call: string, folder: string): string {
  const files = readdirSync(folder)
    .filter((name) => !name.startsWith("."))
    .sort();
  const all = Buffer.concat(files.map((name) => readFileSync(join(folder, name)))).toString();
  const index = Number(process.env[indexVariable] ?? 0);
  const line = all.split("\n")[index];
  if (line) return line;
  throw argumentsLost(call, `There are no arguments for call ${index} in ${folder}.`);
}

function argumentsLost(call: string, problem: string): Failure {
  return new Failure({ code: "function-failed", culprit: call }, problem, "Call it again.");
}

export function unknownFunction(name: string, functions: ReadonlyMap<string, unknown>, remedy: string): UserError {
  const known = [...functions.keys()].join(", ") || "none";
  return new UserError(
    { code: "function-failed", culprit: name },
    `${JSON.stringify(name)} is not a function of this program, which has ${known}.`,
    remedy,
  );
}

const requested = process.env[callVariable];

/** The call that this process serves. Undefined: it runs the program itself. */
export const servedCall: ServedCall | undefined = requested === undefined ? undefined : begin(requested);
