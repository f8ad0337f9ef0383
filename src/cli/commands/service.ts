import type { Argv } from "yargs";
import { defaultServiceEngine, serviceEngines } from "../../service/engine.ts";

const json = { type: "boolean", default: false, describe: "Print JSON" } as const;

const engine = {
  choices: serviceEngines,
  describe: `Engine that runs services: Kubernetes, or podman or docker on this machine. Default: ${defaultServiceEngine}`,
} as const;

/** The file's name in messages, for Bazel's rule, which keeps the file elsewhere. */
const called = { type: "string", hidden: true } as const;

/** The options that select services. */
function withFile<T>(command: Argv<T>) {
  return command
    .positional("file", {
      type: "string",
      demandOption: true,
      describe: "Service file, YAML or JSON, or a folder of such files",
    })
    .option("image", { type: "string", describe: "Image for services that name none" })
    .option("called", called);
}

/** Commands for services. Each loads its code only when it runs. */
export function builder(yargs: Argv): Argv {
  return yargs
    .command("schema", "Print the JSON Schema of services, for editors", {}, async () =>
      (await import("./service-schema.ts")).printSchema(),
    )
    .command(
      "render <file>",
      "Print the Kubernetes manifests, without contacting the cluster",
      (command) =>
        withFile(command)
          .option("json", {
            type: "boolean",
            default: false,
            describe: "Print JSON, one object of kind List, instead of YAML",
          })
          .option("resolve", {
            type: "boolean",
            default: false,
            describe: "Ask registries and git servers for exact versions, as `apply` does",
          }),
      async (options) => (await import("./service-render.ts")).printManifests(options),
    )
    .command(
      "plan <file>",
      "Show what `apply` would change",
      (command) =>
        withFile(command).option("engine", engine).option("json", json).option("exit-code", {
          type: "boolean",
          default: false,
          describe: "Exit with status 1 if something would change",
        }),
      async (options) => (await import("./service-apply.ts")).planChanges(options),
    )
    .command(
      "apply <file>",
      "Make services match a file and print what changed",
      (command) =>
        withFile(command)
          .option("engine", engine)
          .option("json", json)
          .option("wait", {
            type: "boolean",
            default: false,
            describe: "Wait until all services are ready, or exit with status 1 and the reason",
          })
          .option("rollback", {
            type: "boolean",
            default: false,
            describe: "Wait, and restore the previous version of a service that does not become ready",
          })
          .option("time-limit", {
            type: "number",
            default: 600,
            describe: "Seconds to wait, with --wait or --rollback",
          }),
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
          .positional("names", { type: "string", array: true, describe: "Names of services. Default: all" })
          .option("engine", engine)
          .option("json", json),
      async (options) => (await import("./service-status.ts")).showStatuses(options),
    )
    .command(
      "logs <name>",
      "Show the output of a service, from all its pods or containers",
      (command) =>
        command
          .positional("name", { type: "string", demandOption: true, describe: "Name of the service" })
          .option("engine", engine)
          .option("follow", {
            type: "boolean",
            default: false,
            describe: "Keep printing, also from new pods and containers",
          }),
      async (options) => (await import("./service-status.ts")).showLogs(options),
    )
    .command(
      "delete <names..>",
      "Delete services and everything created for them",
      (command) =>
        command
          .positional("names", {
            type: "string",
            array: true,
            demandOption: true,
            describe: "Names of services, or the files that define them",
          })
          .option("engine", engine)
          .option("called", called),
      async (options) => (await import("./service-apply.ts")).deleteByName(options),
    )
    .demandCommand(1, "slipway service needs a command.");
}
