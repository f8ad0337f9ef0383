import type { Argv } from "yargs";
import * as check from "./image-check.ts";
import * as copy from "./image-copy.ts";
import * as inspect from "./image-inspect.ts";
import * as lock from "./image-lock.ts";
import * as ls from "./image-ls.ts";
import * as rm from "./image-rm.ts";
import * as tree from "./image-tree.ts";

export function builder(yargs: Argv): Argv {
  return yargs
    .command(inspect.command, inspect.describe, inspect.builder, inspect.handler)
    .command(check.command, check.describe, check.builder, check.handler)
    .command(tree.command, tree.describe, tree.builder, tree.handler)
    .command(ls.command, ls.describe, ls.builder, ls.handler)
    .command(copy.command, copy.describe, copy.builder, copy.handler)
    .command(rm.command, rm.describe, rm.builder, rm.handler)
    .command(lock.command, lock.describe, lock.builder, lock.handler)
    .demandCommand(1, "slipway image needs a command.");
}
