import type { Argv } from "yargs";
import { defaultServiceEngine, serviceEngines } from "../../service/engine.ts";

const json = { type: "boolean", default: false, describe: "Machine-readable output" } as const;

const engine = {
  choices: serviceEngines,
  describe: `What runs services: Kubernetes, or podman or docker of this machine. Default: ${defaultServiceEngine}`,
} as const;

/** What a person calls the file, where Bazel has it elsewhere. */
const called = { type: "string", hidden: true } as const;

/** The services that a command is about. */
function withFile<T>(command: Argv<T>) {
  return command
    .positional("file", {
      type: "string",
      demandOption: true,
      describe: "Services, YAML or JSON, or a folder of such files",
    })
    .option("image", { type: "string", describe: "Image of the services that name none" })
    .option("called", called);
}

/** Commands for services. What they need is loaded when one of them runs. */
export function builder(yargs: Argv): Argv {
  return yargs
    .command("schema", "Print the JSON Schema of services, for editors", {}, async () =>
      (await import("./service-schema.ts")).printSchema(),
    )
    .command(
      "render <file>",
      "Print what services are in Kubernetes: manifests, without asking the cluster",
      (command) =>
        withFile(command)
          .option("json", { type: "boolean", default: false, describe: "One object of kind List, rather than YAML" })
          .option("resolve", {
            type: "boolean",
            default: false,
            describe: "Ask registries and git servers what the names mean now, as `apply` does",
          }),
      async (options) => (await import("./service-render.ts")).printManifests(options),
    )
    .command(
      "plan <file>",
      "Show what `apply` would change",
      (command) =>
        withFile(command)
          .option("engine", engine)
          .option("json", json)
          .option("exit-code", { type: "boolean", default: false, describe: "End with status 1 when something would" }),
      async (options) => (await import("./service-apply.ts")).planChanges(options),
    )
    .command(
      "apply <file>",
      "Make services what a file says, and print what changed",
      (command) =>
        withFile(command)
          .option("engine", engine)
          .option("json", json)
          .option("wait", {
            type: "boolean",
            default: false,
            describe: "End when all services are ready, or with status 1 and the reason",
          })
          .option("rollback", {
            type: "boolean",
            default: false,
            describe: "Wait, and put back what was before where a service does not get ready",
          })
          .option("time-limit", { type: "number", default: 600, describe: "Seconds to wait" }),
      async (options) => (await import("./service-apply.ts")).applyChanges(options),
    )
    .command("ls", "List services, a line each", { engine, json }, async (options) =>
      (await import("./service-status.ts")).listServices(options),
    )
    .command(
      "status [names..]",
      "Show how services are: replicas, image, endpoints, and what keeps them from being ready",
      (command) =>
        command
          .positional("names", { type: "string", array: true, describe: "The services. Default: all" })
          .option("engine", engine)
          .option("json", json),
      async (options) => (await import("./service-status.ts")).showStatuses(options),
    )
    .command(
      "logs <name>",
      "Show what a service prints, all of its pods or containers",
      (command) =>
        command
          .positional("name", { type: "string", demandOption: true, describe: "The service" })
          .option("engine", engine)
          .option("follow", { type: "boolean", default: false, describe: "Until interrupted; of pods to come, too" }),
      async (options) => (await import("./service-status.ts")).showLogs(options),
    )
    .command(
      "delete <names..>",
      "Delete services with all that was made for them",
      (command) =>
        command
          .positional("names", {
            type: "string",
            array: true,
            demandOption: true,
            describe: "The services, as `name` or their files call them; or those files",
          })
          .option("engine", engine)
          .option("called", called),
      async (options) => (await import("./service-apply.ts")).deleteByName(options),
    )
    .demandCommand(1, "slipway service needs a command.");
}
