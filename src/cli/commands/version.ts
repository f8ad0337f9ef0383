import process from "node:process";
import type { Argv } from "yargs";
import { version } from "../version.ts";
import { flag } from "./options.ts";
import { printJson } from "./output.ts";

export function builder(yargs: Argv): Argv {
  return yargs.option("json", flag("Print JSON, with the version of Node"));
}

/** Prints the version, as `--version` does. */
export async function handler({ json }: { readonly json: boolean }): Promise<void> {
  if (json) printJson({ version, node: process.versions.node });
  else process.stdout.write(`${version}\n`);
}
