import type { Argv } from "yargs";

const json = { type: "boolean", default: false, describe: "Machine-readable output" } as const;
const file = { type: "string", demandOption: true } as const;

/** Commands for jobs. What they need is loaded when one of them runs. */
export function builder(yargs: Argv): Argv {
  return yargs
    .command(
      "resolve <file>",
      "Find out what tags, branches and files of a job mean now, and write it beside the file as NAME.lock.json",
      (command) => command.positional("file", { ...file, describe: "The job, YAML or JSON" }),
      async (options) => (await import("./job_resolve.ts")).resolveJob(options),
    )
    .command(
      "diff <file>",
      "Show what moved since a job was resolved",
      (command) =>
        command
          .positional("file", { ...file, describe: "The job, YAML or JSON, with NAME.lock.json beside it" })
          .option("json", json)
          .option("exit-code", { type: "boolean", default: false, describe: "End with status 1 when something moved" }),
      async (options) => (await import("./job_resolve.ts")).diffJob(options),
    )
    .demandCommand(1, "Which command of job?");
}
