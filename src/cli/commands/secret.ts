import type { Argv } from "yargs";
import { defaultServiceEngine, serviceEngines } from "../../service/engine.ts";

const engine = {
  choices: serviceEngines,
  describe: `For services of which engine. Default: ${defaultServiceEngine}`,
} as const;

/** Commands for the secrets that services name as `SECRET:NAME`. What they need is loaded when one of them runs. */
export function builder(yargs: Argv): Argv {
  return yargs
    .command(
      "set <name>",
      "Keep a value that standard input or a file gives, in place of an earlier one",
      (command) =>
        command
          .positional("name", { type: "string", demandOption: true, describe: "What follows SECRET: in a service" })
          .option("file", { type: "string", describe: "File with the value. Default: standard input" })
          .option("engine", engine)
          .example("pass show git | $0 secret set git-token", "One line end at the end is no part of it"),
      async (options) => (await import("./secret-store.ts")).set(options),
    )
    .command(
      "ls",
      "Show which there are, where, and when they were set; never what they are",
      (command) =>
        command
          .option("json", { type: "boolean", default: false, describe: "Machine-readable output" })
          .option("engine", engine),
      async (options) => (await import("./secret-store.ts")).list(options),
    )
    .command(
      "rm <names..>",
      "Remove secrets",
      (command) =>
        command
          .positional("names", { type: "string", array: true, demandOption: true, describe: "As ls shows them" })
          .option("engine", engine),
      async (options) => (await import("./secret-store.ts")).remove(options),
    )
    .demandCommand(1, "slipway secret needs a command.");
}
