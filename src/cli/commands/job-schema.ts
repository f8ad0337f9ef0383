import process from "node:process";
import { jobJsonSchema } from "../../deployment/json-schema.ts";

/** Prints the JSON Schema of jobs. */
export function printSchema(): void {
  process.stdout.write(`${JSON.stringify(jobJsonSchema(), undefined, 2)}\n`);
}
