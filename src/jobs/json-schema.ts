import { z } from "zod";
import { deploymentFields } from "./schema.ts";

/**
 * The JSON Schema of a job (2020-12), for editors. It accepts whatever the loader does, which also checks what
 * holds between fields.
 */
export function jobJsonSchema(): object {
  const options = { io: "input", target: "draft-2020-12", unrepresentable: "any" } as const;
  return { title: "Slipway job", ...z.toJSONSchema(deploymentFields(), options) };
}
