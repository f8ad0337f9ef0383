import { Arguments } from "../arguments.ts";
import type { Context } from "../context.ts";

/** `digest --output=FILE --descriptor=PATH`: writes the digest and a line end. */
export async function digest(args: readonly string[], context: Context): Promise<void> {
  const options = new Arguments(args, ["output", "descriptor"], context);
  options.write({ output: `${options.json(options.one("descriptor")).get("digest").digest()}\n` });
}
