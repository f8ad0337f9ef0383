import process from "node:process";
import type { Argv } from "yargs";
import { version } from "../version.ts";

export function builder(yargs: Argv): Argv {
  return yargs.option("json", {
    type: "boolean",
    default: false,
    describe: "Print JSON, with the version of Node",
  });
}

/** Prints the version, as `--version` does. */
export async function handler(options: object): Promise<void> {
  const isJson = "json" in options && options.json === true;
  process.stdout.write(
    `${isJson ? JSON.stringify({ version, node: process.versions.node }, undefined, 2) : version}\n`,
  );
}
