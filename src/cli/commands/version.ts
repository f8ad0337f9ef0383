import process from "node:process";
import { command } from "../command.ts";
import { version as own } from "../version.ts";
import { flag } from "./options.ts";
import { printJson } from "./output.ts";

export const version = command({ json: flag("Print JSON, with the version of Node") }, async ({ json }) => {
  if (json) printJson({ version: own, node: process.versions.node });
  else process.stdout.write(`${own}\n`);
});
