import { z } from "zod";
import { deploymentFields } from "./schema.ts";

/**
 * The form of a job's document as JSON Schema (2020-12), for editors. What no schema can say, such as that either `command` or `function` is
 * there, is left to the loader: the schema accepts whatever the loader does.
 */
export function jobJsonSchema(): object {
  const options = { io: "input", target: "draft-2020-12", unrepresentable: "any" } as const;
  return { title: "Slipway job", ...z.toJSONSchema(deploymentFields(), options) };
}
