import type { Argv } from "yargs";
import { json, list, required, text } from "./options.ts";

const repository = required("Repository of the image, HOST/REPOSITORY");

/** Commands for kept results. Each loads its code only when it runs. */
export function builder(yargs: Argv): Argv {
  return yargs
    .command(
      "ls <repository>",
      "List what each run of a program kept, oldest first",
      (command) => command.positional("repository", repository).option("json", json),
      async (options) => (await import("./results-store.ts")).list(options),
    )
    .command(
      "show <repository> <run>",
      "Print the results of a run, each after its key",
      (command) =>
        command
          .positional("repository", repository)
          .positional("run", required("Run that `ls` lists"))
          .option("json", json),
      async (options) => (await import("./results-store.ts")).show(options),
    )
    .command(
      "rm <repository> <names..>",
      "Remove the results of functions or runs",
      (command) =>
        command
          .positional("repository", repository)
          .positional("names", { ...list("Functions, or runs that `ls` lists"), demandOption: true })
          .option("json", json),
      async (options) => (await import("./results-store.ts")).remove(options),
    )
    .command(
      "prune <repository>",
      "Remove the results of old runs",
      (command) =>
        command
          .positional("repository", repository)
          .option("older-than", text("Remove runs that stored nothing for so long, such as 30d"))
          .option("size", text("Remove the oldest runs until the others take at most so much, such as 1GiB"))
          .option("json", json),
      async (options) => (await import("./results-store.ts")).prune(options),
    )
    .demandCommand(1, "slipway results needs a command.");
}
