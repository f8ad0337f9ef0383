import process from "node:process";
import { jobJsonSchema } from "../../deployment/json-schema.ts";

/** Prints what editors check jobs by. */
export function printSchema(): void {
  process.stdout.write(`${JSON.stringify(jobJsonSchema(), undefined, 2)}\n`);
}
