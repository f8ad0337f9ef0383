import type { Argv } from "yargs";
import { flag, json, logLines, required, text } from "./options.ts";
import { notice, printJson } from "./output.ts";

const engine = { choices: ["process", "container", "kubernetes"] as const };
/** Environments from files need a base image in containers and clusters, so the lock depends on the engine. */
const futureEngine =
  "Engine that will run the job; environments from files need a base image except on process. Default:";

const id = required("Job ID, as `job run` and `job ls` print it");

/** Options for documents that other programs write. Only Bazel's rule sets `target`. */
function withPlace<T>(command: Argv<T>) {
  return command
    .option("folder", text("Folder for relative paths in the job and for its lock. Default: the file's folder"))
    .option("target", { type: "string", hidden: true });
}

export function builder(yargs: Argv): Argv {
  return (
    yargs
      .command("schema", "Print the JSON Schema of jobs, for editors", {}, async () =>
        printJson((await import("../../jobs/schema.ts")).jobJsonSchema()),
      )
      .command(
        "resolve <file>",
        "Write exact versions of tags, branches and files to NAME.lock.json",
        (command) =>
          withPlace(command)
            .positional("file", required("Job file, YAML or JSON"))
            .option("engine", { ...engine, describe: `${futureEngine} as for \`job run\`` }),
        async (options) => (await import("./job-run.ts")).resolve(options),
      )
      .command(
        "diff <file>",
        "Show what has changed since a job was resolved",
        (command) =>
          withPlace(command)
            .positional("file", required("Job file, YAML or JSON, with NAME.lock.json beside it"))
            .option("engine", { ...engine, describe: `${futureEngine} as when it was locked` })
            .option("json", json)
            .option("exit-code", flag("Exit with status 1 if something has changed")),
        async (options) => (await import("./job-run.ts")).diff(options),
      )
      .command(
        "run <file>",
        "Run a job as locked, or at its current versions if it has no lock",
        (command) =>
          withPlace(command)
            .positional("file", required("Job file, or its lock"))
            .option("detach", flag("Print the job's ID and leave it running"))
            .option("once", flag("Run a job with a schedule now, and leave its schedule as it is"))
            .option("engine", {
              ...engine,
              describe:
                "Engine that runs the job. Default: kubernetes if SLIPWAY_ENGINE=kubernetes, else by the job's interpreter",
            })
            .option("copy-credentials", {
              type: "boolean",
              describe:
                "Copy your credential for the image's registry into a Secret in the cluster. Default: SLIPWAY_COPY_CREDENTIALS",
            }),
        async (options) => (await import("./job-run.ts")).run(options),
      )
      .command(
        "ls",
        "List the jobs on this machine and yours in the cluster",
        (command) =>
          command
            .option("last", { type: "number", describe: "List only the newest, so many" })
            .option("watch", flag("List again when something changes, until interrupted"))
            .option("all", flag("Also jobs of other users in the cluster's namespace"))
            .option("json", flag("Print JSON; with --watch an object per line for each job that changed")),
        async (options) => (await import("./job-list.ts")).listJobs(options),
      )
      .command(
        "status <id>",
        "Show the state of a job",
        (command) => command.positional("id", id).option("json", json),
        async (options) => (await import("./job-control.ts")).showStatus(options),
      )
      .command(
        "logs <id>",
        "Show the output of a job",
        (command) =>
          command
            .positional("id", id)
            .option("follow", flag("Wait until the job ends, and exit with its status"))
            .option("item", { type: "number", describe: "Only this item of a job with a matrix, by its number" })
            .options(logLines),
        async (options) => (await import("./job-control.ts")).showLogs(options),
      )
      .command(
        "cancel <id>",
        "Cancel a job and stop all its processes",
        (command) => command.positional("id", id),
        async (options) => (await import("./job-control.ts")).cancel(options),
      )
      .command(
        "rm <ids..>",
        "Remove jobs that have ended, with their output and results",
        (command) => command.positional("ids", { ...required("Job IDs"), array: true }),
        async ({ ids }) => (await import("../../jobs/control-jobs.ts")).removeJobs(ids, notice),
      )
      .command(
        "prune",
        "Remove jobs that ended some time ago and print their IDs",
        (command) =>
          command.option("older-than", {
            type: "string",
            default: "7d",
            describe:
              "Time since they ended, such as 90s, 12h or 7d; 0 for all. After 30 days they are removed automatically",
          }),
        async (options) => (await import("./job-control.ts")).prune(options),
      )
      .command("schedule", "List, pause, resume and remove schedules of jobs in the cluster", schedules)
      .command(
        "supervise <id>",
        false,
        (command) => command.positional("id", id),
        async ({ id }) => (await import("../../jobs/supervise.ts")).superviseById(id),
      )
      // For libraries, where a program has no engine helper.
      .command("answer", false, {}, async () => (await import("../../jobs/answer-job.ts")).answerJob())
      .demandCommand(1, "slipway job needs a command.")
  );
}

const scheduleName = required("Name of the schedule, as `job run` and `job schedule ls` print it");

function schedules(yargs: Argv): Argv {
  return yargs
    .command(
      "ls",
      "List your schedules in the cluster's namespace",
      (command) => command.option("all", flag("Also schedules of other users")).option("json", json),
      async (options) => (await import("./job-schedule.ts")).list(options),
    )
    .command(
      "pause <name>",
      "Pause a schedule. Jobs that run go on",
      (command) => command.positional("name", scheduleName),
      async ({ name }) => (await import("./job-schedule.ts")).pause(name, true),
    )
    .command(
      "resume <name>",
      "Let a paused schedule go on",
      (command) => command.positional("name", scheduleName),
      async ({ name }) => (await import("./job-schedule.ts")).pause(name, false),
    )
    .command(
      "rm <name>",
      "Remove a schedule with the jobs that it made",
      (command) => command.positional("name", scheduleName),
      async ({ name }) => (await import("./job-schedule.ts")).remove(name),
    )
    .demandCommand(1, "slipway job schedule needs a command.");
}
