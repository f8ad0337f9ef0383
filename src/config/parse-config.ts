import { type Config, configSchema } from "./config-schema.ts";
import { Document } from "./document.ts";
import { readShape } from "./read-shape.ts";

/**
 * Reads the text of a configuration file.
 *
 * @param path the file's name, for errors; files that it names are relative to its folder
 * @throws UserError with file, line, column and field of every mistake
 */
export function parseConfig(text: string, path: string): Config {
  return readShape(configSchema, Document.parse(text, path, true), path);
}
