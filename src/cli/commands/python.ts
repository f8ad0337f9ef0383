import type { Argv } from "yargs";
import * as lock from "./python-lock.ts";

export function builder(yargs: Argv): Argv {
  return yargs
    .command(lock.command, lock.describe, lock.builder, lock.handler)
    .demandCommand(1, "slipway python needs a command.");
}
