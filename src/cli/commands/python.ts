import type { Argv } from "yargs";
import { required } from "./options.ts";

export function builder(yargs: Argv): Argv {
  return yargs
    .command(
      "lock <file>",
      "Lock Python packages to the newest versions, with hashes",
      (command) =>
        command
          .positional("file", required("Requirements file, NAME.in; the lock is written to NAME.txt beside it"))
          .option("python-version", {
            type: "string",
            default: "3.11",
            describe: "Python version, the same as python_version of python.install",
          })
          .example("$0 python lock requirements.in", "Write requirements.txt"),
      async (options) => (await import("./python-lock.ts")).lock(options),
    )
    .demandCommand(1, "slipway python needs a command.");
}
