import { readFile } from "node:fs/promises";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { configFile } from "../core/user-folders.ts";
import { Document } from "./document.ts";

/**
 * Reads the user's configuration file. One that is not there is empty.
 *
 * @throws UserError for a file that cannot be read, or is not YAML
 */
export async function readConfiguration(
  env: Environment,
): Promise<{ readonly path: string; readonly document: Document }> {
  const { path, named } = configFile(env);
  const content = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT" && !named) return "";
    throw new UserError(
      { code: "file-unreadable", culprit: path },
      `Configuration file ${path} cannot be read (${cause.code}).`,
      named ? "Correct or unset SLIPWAY_CONFIG, which names it." : "Make it a file that you can read.",
      { cause },
    );
  });
  return { path, document: Document.parse(content, path) };
}
