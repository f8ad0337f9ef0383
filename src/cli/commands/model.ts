import type { Argv } from "yargs";
import { flag, json, required, text } from "./options.ts";

/** Commands for models. Each loads its code only when it runs. */
export function builder(yargs: Argv): Argv {
  return yargs
    .command(
      "push <id> <folder>",
      "Push a folder as the newest version of a model and print ID@sha256:…",
      (command) =>
        command
          .positional("id", required("Model ID: lower-case letters, digits, . _ - and /"))
          .positional("folder", required("Folder with the model's files"))
          .option("json", flag("Print one JSON object per event, sizes in bytes; the last one has the version")),
      async (options) => (await import("./model-push.ts")).push(options),
    )
    .command(
      "ls [id]",
      "List the models, or the versions of one, newest last",
      (command) => command.positional("id", text("Model ID. Default: all models")).option("json", json),
      async (options) => (await import("./model-store.ts")).list(options),
    )
    .command(
      "rm <model>",
      "Remove a model with all its versions, or one version",
      (command) => command.positional("model", required("Model ID, or ID@sha256:… for one version")),
      async (options) => (await import("./model-store.ts")).remove(options),
    )
    .demandCommand(1, "slipway model needs a command.");
}
