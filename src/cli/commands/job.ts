import type { Argv } from "yargs";

const json = { type: "boolean", default: false, describe: "Machine-readable output" } as const;
const file = { type: "string", demandOption: true } as const;

const engine = { choices: ["process", "container", "kubernetes"] as const };
const futureEngine =
  "Where it is to run, which matters to environments of files: only for a process they need no base image. Default: as for `job run`";

const id = { type: "string", demandOption: true, describe: "The job, as `job run` and `job ls` name it" } as const;

/** What is said of a document that other programs wrote; `target` is for Bazel's rule alone. */
function withPlace<T>(command: Argv<T>) {
  return command
    .option("folder", {
      type: "string",
      describe: "Where relative paths of the job start and its lock is. Default: the file's folder",
    })
    .option("target", { type: "string", hidden: true });
}

/** Commands for jobs. What they need is loaded when one of them runs. */
export function builder(yargs: Argv): Argv {
  return yargs
    .command("schema", "Print the JSON Schema of jobs, for editors", {}, async () =>
      (await import("./job-schema.ts")).printSchema(),
    )
    .command(
      "resolve <file>",
      "Find out what tags, branches and files of a job mean now, and write it beside the file as NAME.lock.json",
      (command) =>
        withPlace(command)
          .positional("file", { ...file, describe: "The job, YAML or JSON" })
          .option("engine", { ...engine, describe: futureEngine }),
      async (options) => (await import("./job-resolve.ts")).resolveJob(options),
    )
    .command(
      "diff <file>",
      "Show what moved since a job was resolved",
      (command) =>
        withPlace(command)
          .positional("file", { ...file, describe: "The job, YAML or JSON, with NAME.lock.json beside it" })
          .option("engine", { ...engine, describe: futureEngine })
          .option("json", json)
          .option("exit-code", { type: "boolean", default: false, describe: "End with status 1 when something moved" }),
      async (options) => (await import("./job-resolve.ts")).diffJob(options),
    )
    .command(
      "run <file>",
      "Run a job as its lock says, or as it is resolved now where it has none",
      (command) =>
        withPlace(command)
          .positional("file", { ...file, describe: "The job, or its lock" })
          .option("detach", { type: "boolean", default: false, describe: "Print the job's id and leave it running" })
          .option("engine", {
            ...engine,
            describe:
              "Where it runs; by default what its interpreter is for, or Kubernetes where SLIPWAY_ENGINE=kubernetes",
          })
          .option("copy-credentials", {
            type: "boolean",
            describe: "Let your credential for the image's registry go into the cluster, in a Secret of the job",
          }),
      async (options) => (await import("./job-run.ts")).runJob(options),
    )
    .command("ls", "List the jobs of this machine, and yours in the cluster", { json }, async (options) =>
      (await import("./job-control.ts")).listJobs(options),
    )
    .command(
      "status <id>",
      "Tell what became of a job",
      (command) => command.positional("id", id).option("json", json),
      async (options) => (await import("./job-control.ts")).showStatus(options),
    )
    .command(
      "logs <id>",
      "Show what a job printed",
      (command) =>
        command.positional("id", id).option("follow", {
          type: "boolean",
          default: false,
          describe: "Go on until the job ends, and end as it does",
        }),
      async (options) => (await import("./job-control.ts")).showLogs(options),
    )
    .command(
      "cancel <id>",
      "End a job with all that it started",
      (command) => command.positional("id", id),
      async (options) => (await import("./job-control.ts")).cancelJob(options),
    )
    .command(
      "rm <ids..>",
      "Forget jobs that have ended, with what they printed and gave back",
      (command) => command.positional("ids", { type: "string", array: true, demandOption: true, describe: "The jobs" }),
      async (options) => (await import("./job-remove.ts")).removeJobs(options),
    )
    .command(
      "prune",
      "Forget all jobs that ended some time ago, and print which; what ended 30 days ago is forgotten by itself",
      (command) =>
        command.option("older-than", {
          type: "string",
          default: "7d",
          describe: "How long ago they ended: 90s, 12h, 7d; 0 for all that ended",
        }),
      async (options) => (await import("./job-remove.ts")).pruneJobs(options),
    )
    .command(
      "supervise <id>",
      false,
      (command) => command.positional("id", id),
      async (options) => (await import("./job-control.ts")).superviseById(options),
    )
    .demandCommand(1, "slipway job needs a command.");
}
