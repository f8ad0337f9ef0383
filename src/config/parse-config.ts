import { type Config, configSchema } from "./config-schema.ts";
import { Document } from "./document.ts";
import { readShape } from "./read-shape.ts";

/** @param path for errors; files that the text names are relative to its folder */
export function parseConfig(text: string, path: string): Config {
  return readShape(configSchema, Document.parse(text, path, true), path);
}
