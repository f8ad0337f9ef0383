import { existsSync } from "node:fs";
import { readConfig } from "../../config/config-file.ts";
import type { Environment } from "../../core/environment.ts";
import { configFile } from "../../core/user-folders.ts";
import { broken, type Finding } from "./finding.ts";

const part = { part: "configuration", neededFor: "every command that reads it", required: false } as const;

export async function examineConfiguration(env: Environment): Promise<Finding> {
  try {
    const { path } = configFile(env);
    await readConfig(env);
    return { ...part, state: "ok", detail: existsSync(path) ? path : `none; ${path} would be read` };
  } catch (error) {
    return broken(part, error);
  }
}
