import process from "node:process";
import { command } from "../command.ts";
import { version } from "../version.ts";
import { flag } from "./options.ts";
import { printJson } from "./output.ts";

export const versionCommand = command({ json: flag("Print JSON, with the version of Node") }, async ({ json }) => {
  if (json) printJson({ version, node: process.versions.node });
  else process.stdout.write(`${version}\n`);
});
