import process from "node:process";
import { serviceJsonSchema } from "../../service/json-schema.ts";

/** Prints what editors check services by. */
export function printSchema(): void {
  process.stdout.write(`${JSON.stringify(serviceJsonSchema(), undefined, 2)}\n`);
}
