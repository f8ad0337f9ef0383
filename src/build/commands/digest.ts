import { parseJson } from "../../oci/json.ts";
import { Arguments } from "../arguments.ts";
import { type Context, pathIn } from "../context.ts";
import { readInput, writeFiles } from "../files.ts";

/** `digest --output=FILE --descriptor=PATH`: writes the descriptor's digest and a line end. */
export async function digest(args: readonly string[], context: Context): Promise<void> {
  const options = new Arguments(args, ["output", "descriptor"]);
  const path = options.one("descriptor");
  const descriptor = parseJson(readInput(pathIn(context, path)), path);
  writeFiles(new Map([[pathIn(context, options.one("output")), `${descriptor.get("digest").digest()}\n`]]));
}
