import { text } from "node:stream/consumers";
import { callVariable, nonceVariable, resultLine } from "../engine/protocol.ts";
import { UserError } from "../oci/errors.ts";
import { encodeJson } from "./json.ts";
import { describeFailure } from "./remote-error.ts";

type Callable = (...args: never[]) => unknown;

/** The one function call that this process was started for. */
interface ServedCall {
  readonly name: string;
  /** Writes the result line and ends the process. */
  readonly reply: (json: string) => Promise<never>;
}

/**
 * From here on the program's own output goes to standard error: standard output is for the result alone. The variables are removed
 * so that what the function starts does not take itself for the call.
 */
function begin(name: string): ServedCall {
  const nonce = process.env[nonceVariable] ?? "";
  delete process.env[callVariable];
  delete process.env[nonceVariable];
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = process.stderr.write.bind(process.stderr);
  // The first process of a container ignores signals for which it has no handler.
  process.once("SIGTERM", () => process.exit(143));
  process.once("SIGINT", () => process.exit(130));
  const reply = (json: string) => new Promise<never>(() => write(resultLine(nonce, json), () => process.exit(0)));
  return { name, reply };
}

const requested = process.env[callVariable];

/** The call that this process serves, or undefined when it runs the program itself. */
export const servedCall: ServedCall | undefined = requested === undefined ? undefined : begin(requested);

/**
 * Serves the call: arguments from standard input, the result on standard output, then the process ends.
 *
 * @param functions the program's functions by name
 */
export async function serve(call: ServedCall, functions: ReadonlyMap<string, Callable>): Promise<never> {
  let json: string;
  try {
    const fn = functions.get(call.name);
    if (fn === undefined) {
      throw new UserError(
        `${JSON.stringify(call.name)} is not a function of this program, which has ${[...functions.keys()].join(", ") || "none"}.`,
        "Define it with inImage before main is called; an image built from other sources must be built again.",
      );
    }
    const args = JSON.parse(await text(process.stdin)) as never[];
    const result = await fn(...args);
    json =
      result === undefined ? "{}" : `{"result":${encodeJson(result, `The result of ${JSON.stringify(call.name)}`)}}`;
  } catch (error) {
    json = JSON.stringify({ error: describeFailure(error) });
  }
  return call.reply(json);
}
