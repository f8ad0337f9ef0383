import { readFileSync } from "node:fs";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { configFile } from "../core/user-folders.ts";
import type { Config } from "./config-schema.ts";

/** The last file that was read: one launch asks for several of its sections. */
let last: { readonly path: string; readonly text: string; readonly config: Promise<Config> } | undefined;

/** Loads the parser only if the file exists. @throws UserError with the place of every mistake */
export async function readConfig(env: Environment = process.env): Promise<Config> {
  const { path, named } = configFile(env);
  const text = textOf(path, named);
  if (text === undefined) return {};
  if (last?.path !== path || last.text !== text) {
    last = { path, text, config: import("./parse-config.ts").then(({ parseConfig }) => parseConfig(text, path)) };
  }
  return last.config;
}

function textOf(path: string, named: boolean): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" && !named) return undefined;
    throw new UserError(
      { code: "file-unreadable", culprit: path },
      `Configuration file ${path} cannot be read (${code}).`,
      named ? "Correct SLIPWAY_CONFIG, which names it, or unset it." : "Make it a file that you can read.",
      { cause },
    );
  }
}

/** Returns the values of a YAML file that is not Slipway's, unchecked. @throws if it is not YAML */
export async function readValues(text: string): Promise<unknown> {
  const document = (await import("./yaml.mjs")).parseDocument(text);
  if (document.errors[0]) throw document.errors[0];
  return document.toJS();
}
