import type { Argv } from "yargs";

/** Commands for services. What they need is loaded when one of them runs. */
export function builder(yargs: Argv): Argv {
  return yargs
    .command("schema", "Print the JSON Schema of services, for editors", {}, async () =>
      (await import("./service_schema.ts")).printSchema(),
    )
    .demandCommand(1, "slipway service needs a command.");
}
