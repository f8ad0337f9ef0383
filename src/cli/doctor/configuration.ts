import { existsSync } from "node:fs";
import { readConfig } from "../../config/config-file.ts";
import { engineIn } from "../../config/engine-kind.ts";
import type { Environment } from "../../core/environment.ts";
import { nearest } from "../../core/nearest.ts";
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

const settable = ["CONTAINER_IMAGE", "REGISTRY", "REPOSITORY_PREFIX", "DRY_RUN", "ENGINE", "RUN_IN", "ENVIRONMENT_BASE"]
  .concat(["KUBERNETES_CONTEXT", "KUBERNETES_NAMESPACE", "COPY_CREDENTIALS", "SYNC_IMAGE", "COMMAND", "KEY_PASSWORD"])
  .concat("CONFIG", "CONTAINER_IMAGE_URIS");

/** A misspelt variable has no effect, and nothing else tells. */
export async function examineVariables(env: Environment): Promise<Finding> {
  const part = { part: "variables", neededFor: "what they set", required: false } as const;
  const given = Object.keys(env).filter((name) => name.startsWith("SLIPWAY_"));
  try {
    engineIn(env);
    for (const name of given.map((each) => each.slice("SLIPWAY_".length))) {
      const meant = settable.includes(name) ? undefined : nearest(name, settable);
      if (meant === undefined) continue;
      const remedy = `Write SLIPWAY_${meant}, or unset it`;
      return { ...part, state: "broken", detail: `SLIPWAY_${name} is no variable of Slipway`, remedy };
    }
    return { ...part, state: "ok", detail: given.join(", ") || "none that starts with SLIPWAY_" };
  } catch (error) {
    return broken(part, error);
  }
}
