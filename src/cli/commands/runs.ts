import type { Argv } from "yargs";
import { json } from "./options.ts";

const run = {
  type: "string",
  describe: "Run that `ls` lists, or the beginning of its name. Default: the newest",
} as const;

/** Commands for what programs did. Each loads its code only when it runs. */
export function builder(yargs: Argv): Argv {
  return yargs
    .command(
      "ls",
      "List the runs of programs that called functions, oldest first",
      (command) =>
        command.option("json", json).option("last", { type: "number", describe: "Only the newest runs, so many" }),
      async (options) => (await import("./runs-store.ts")).listRuns(options),
    )
    .command(
      "show [run]",
      "Show the steps of a run, and what became of their calls",
      (command) => command.positional("run", run).option("json", json),
      async (options) => (await import("./runs-store.ts")).showRun(options),
    )
    .command(
      "logs [run]",
      "Print what the functions of a run printed",
      (command) =>
        command
          .positional("run", run)
          .option("follow", { alias: "f", type: "boolean", default: false, describe: "Print until the run ends" }),
      async (options) => (await import("./runs-store.ts")).printLogs(options),
    )
    .demandCommand(1, "slipway runs needs a command.");
}
