import process from "node:process";
import { serviceJsonSchema } from "../../service/json-schema.ts";

/** Prints the JSON Schema of services. */
export function printSchema(): void {
  process.stdout.write(`${JSON.stringify(serviceJsonSchema(), undefined, 2)}\n`);
}
