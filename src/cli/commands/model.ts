import type { Argv } from "yargs";

const json = { type: "boolean", default: false, describe: "Machine-readable output" } as const;

/** Commands for models. What they need is loaded when one of them runs. */
export function builder(yargs: Argv): Argv {
  return yargs
    .command(
      "push <id> <folder>",
      "Make the files of a folder the newest version of a model, and print it: ID@sha256:…",
      (command) =>
        command
          .positional("id", {
            type: "string",
            demandOption: true,
            describe: "Name of the model: lower-case letters, digits, . _ - and /",
          })
          .positional("folder", { type: "string", demandOption: true, describe: "The folder that has the model" })
          .option("json", {
            type: "boolean",
            default: false,
            describe: "Print a line of JSON for every event, sizes in bytes, and last one with the version",
          }),
      async (options) => (await import("./model-push.ts")).push(options),
    )
    .command(
      "ls [id]",
      "List the models, or the versions of one, the newest last",
      (command) =>
        command.positional("id", { type: "string", describe: "The model. Default: all models" }).option("json", json),
      async (options) => (await import("./model-store.ts")).list(options),
    )
    .command(
      "rm <model>",
      "Remove a model with all its versions, or one version",
      (command) =>
        command.positional("model", { type: "string", demandOption: true, describe: "ID, or ID@sha256:… for one" }),
      async (options) => (await import("./model-store.ts")).remove(options),
    )
    .demandCommand(1, "slipway model needs a command.");
}
