import { wholeProgram } from "../core/protocol.ts";
import { toWire } from "../core/wire-error.ts";
import { encodeJson, shorten } from "./json.ts";
import { type servedCall, unknownFunction } from "./serving.ts";
import { decodeArguments } from "./values.ts";

type Callable = (...args: never[]) => unknown;

/** Runs the function and writes its result. Then exits with status 0, or 1 if the function failed. */
export async function serve(
  call: NonNullable<typeof servedCall>,
  functions: ReadonlyMap<string, { readonly fn: Callable }>,
  program: Callable,
): Promise<never> {
  let json: string;
  let isFine = false;
  try {
    const fn = call.name === wholeProgram ? program : functions.get(call.name)?.fn;
    if (fn === undefined) {
      const remedy =
        "Define it with inImage before main is called. If the image was built from other sources, build it again.";
      throw unknownFunction(call.name, functions, remedy);
    }
    const args = (await decodeArguments(await call.input())) as never[];
    const result = await fn(...args);
    const subject = `result of ${call.name === wholeProgram ? "the program" : JSON.stringify(call.name)}`;
    const encoded = result === undefined ? undefined : await encodeJson(result, subject, true);
    json = encoded === undefined ? "{}" : `{"result":${await shorten(encoded, call.limit)}}`;
    isFine = true;
  } catch (error) {
    json = JSON.stringify({ error: toWire(error) });
  }
  return call.reply(json, isFine);
}
