import type { Argv } from "yargs";
import { defaultServiceEngine, serviceEngines } from "../../services/open-engine.ts";
import { json, required, text } from "./options.ts";

const engine = {
  choices: serviceEngines,
  describe: `Engine of the services. Default: ${defaultServiceEngine}`,
} as const;

/** Commands for the secrets that services refer to as `SECRET:NAME`. Each loads its code only when it runs. */
export function builder(yargs: Argv): Argv {
  return yargs
    .command(
      "set <name>",
      "Store a value from standard input or a file, replacing an earlier one",
      (command) =>
        command
          .positional("name", required("Name of the secret; services refer to it as SECRET:NAME"))
          .option("file", text("File with the value. Default: standard input"))
          .option("engine", engine)
          .example("pass show git | $0 secret set git-token", "Store a password without its final newline"),
      async (options) => (await import("./secret-store.ts")).set(options),
    )
    .command(
      "ls",
      "List secrets, where they are and when they were set, without their values",
      (command) => command.option("json", json).option("engine", engine),
      async (options) => (await import("./secret-store.ts")).list(options),
    )
    .command(
      "rm <names..>",
      "Remove secrets",
      (command) =>
        command
          .positional("names", { ...required("Names of secrets, as `ls` shows them"), array: true })
          .option("engine", engine),
      async (options) => (await import("./secret-store.ts")).remove(options),
    )
    .demandCommand(1, "slipway secret needs a command.");
}
