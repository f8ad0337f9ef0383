import type { Argv } from "yargs";

/** Commands for services. What they need is loaded when one of them runs. */
export function builder(yargs: Argv): Argv {
  return yargs
    .command("schema", "Print the JSON Schema of services, for editors", {}, async () =>
      (await import("./service_schema.ts")).printSchema(),
    )
    .command(
      "render <file>",
      "Print what services are in Kubernetes: manifests, without asking the cluster",
      (command) =>
        command
          .positional("file", {
            type: "string",
            demandOption: true,
            describe: "Services, YAML or JSON, or a folder of such files",
          })
          .option("json", { type: "boolean", default: false, describe: "One object of kind List, rather than YAML" }),
      async (options) => (await import("./service_render.ts")).printManifests(options),
    )
    .demandCommand(1, "slipway service needs a command.");
}
