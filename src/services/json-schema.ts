import { z } from "zod";
import { serviceFields } from "./schema.ts";

/**
 * The form of a service's document as JSON Schema (2020-12), for editors. What no schema can say, such as that a password's user is there,
 * is left to the loader: the schema accepts whatever the loader does.
 */
export function serviceJsonSchema(): object {
  return { title: "Slipway service", ...z.toJSONSchema(serviceFields, { io: "input", target: "draft-2020-12" }) };
}
