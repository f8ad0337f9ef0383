import type { Argv } from "yargs";
import { defaultServiceEngine, serviceEngines } from "../../services/open-engine.ts";
import { flag, json, list, logLines, required, text } from "./options.ts";
import { printJson } from "./output.ts";

const engine = {
  choices: serviceEngines,
  describe: `Engine that runs services: Kubernetes, or podman or docker on this machine. Default: ${defaultServiceEngine}`,
} as const;

/** The name of Bazel's copy of the file in messages. */
const called = { type: "string", hidden: true } as const;

const timeLimit = { type: "number", default: 600, describe: "Seconds to wait, with --wait" } as const;

function named<T>(command: Argv<T>) {
  return command.positional("name", required("Name of the service")).option("engine", engine);
}

function changing<T>(command: Argv<T>) {
  return named(command)
    .option("wait", flag("Wait until the service is ready, or exit with status 1 and the reason"))
    .option("time-limit", timeLimit);
}

function withFile<T>(command: Argv<T>) {
  return command
    .positional("file", required("Service file, YAML or JSON, or a folder of such files"))
    .option("image", text("Image for services that name none"))
    .option("called", called);
}

/** Each command loads its code only when it runs. */
export function builder(yargs: Argv): Argv {
  return yargs
    .command("schema", "Print the JSON Schema of services, for editors", {}, async () =>
      printJson((await import("../../services/schema.ts")).serviceJsonSchema()),
    )
    .command(
      "render <file>",
      "Print the Kubernetes manifests, without contacting the cluster",
      (command) =>
        withFile(command)
          .option("json", flag("Print JSON, one object of kind List, instead of YAML"))
          .option("resolve", flag("Ask registries and git servers for exact versions, as `apply` does")),
      async (options) => (await import("./service-apply.ts")).printManifests(options),
    )
    .command(
      "plan <file>",
      "Show what `apply` would change",
      (command) =>
        withFile(command)
          .option("engine", engine)
          .option("json", json)
          .option("exit-code", flag("Exit with status 1 if something would change")),
      async (options) => (await import("./service-apply.ts")).planChanges(options),
    )
    .command(
      "apply <file>",
      "Make services match a file and print what changed",
      (command) =>
        withFile(command)
          .option("engine", engine)
          .option("json", json)
          .option("wait", flag("Wait until all services are ready, or exit with status 1 and the reason"))
          .option("rollback", flag("Wait, and restore the previous version of a service that does not become ready"))
          .option("time-limit", { ...timeLimit, describe: "Seconds to wait, with --wait or --rollback" }),
      async (options) => (await import("./service-apply.ts")).applyChanges(options),
    )
    .command("ls", "List services, one per line", { engine, json }, async (options) =>
      (await import("./service-status.ts")).listServices(options),
    )
    .command(
      "status [names..]",
      "Show replicas, image, endpoints, and why a service is not ready",
      (command) =>
        command
          .positional("names", list("Names of services. Default: all"))
          .option("engine", engine)
          .option("json", json),
      async (options) => (await import("./service-status.ts")).showStatuses(options),
    )
    .command(
      "logs <name>",
      "Show the output of a service, from all its pods or containers",
      (command) =>
        named(command).option("follow", flag("Keep printing, also from new pods and containers")).options(logLines),
      async (options) => (await import("./service-status.ts")).showLogs(options),
    )
    .command(
      "open <name>",
      "Forward a port of this machine to a service and print its URL, until interrupted",
      (command) =>
        named(command)
          .option("port", {
            type: "number",
            describe: "Port of this machine. Default: that of the service if it is free, else any",
          })
          .option("target", { type: "number", describe: "Port of the service. Default: its first one" }),
      async (options) => (await import("./service-status.ts")).openByName(options),
    )
    .command(
      "history <name>",
      "List the revisions of a service, and who changed what",
      (command) => named(command).option("json", json),
      async (options) => (await import("./service-history.ts")).showHistory(options),
    )
    .command(
      "rollback <name>",
      "Go back to an earlier revision of a service",
      (command) =>
        changing(command).option("to", {
          type: "number",
          describe: "Revision, as `service history` prints it. Default: the one before",
        }),
      async (options) => (await import("./service-history.ts")).rollBack(options),
    )
    .command("restart <name>", "Start all pods or containers of a service again", changing, async (options) =>
      (await import("./service-history.ts")).restart(options),
    )
    .command(
      "delete <names..>",
      "Delete services and everything created for them",
      (command) =>
        command
          .positional("names", { ...required("Names of services, or the files that define them"), array: true })
          .option("engine", engine)
          .option("called", called),
      async (options) => (await import("./service-apply.ts")).deleteByName(options),
    )
    .demandCommand(1, "slipway service needs a command.");
}
