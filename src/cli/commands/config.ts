import { configJsonSchema } from "../../config/json-schema.ts";
import { command, group } from "../command.ts";
import { printJson } from "./output.ts";

export const config = group("config", {
  schema: [
    "Print the JSON Schema of config.yaml, for editors",
    async () => ({ schema: command({}, async () => printJson(configJsonSchema())) }),
  ],
});
