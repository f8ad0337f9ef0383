import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Environment } from "../core/environment.ts";
import { cacheFolder } from "../core/user-folders.ts";
import { builtImages } from "../oci/image-uris.ts";
import { targetVariable } from "./helper-variables.ts";

/** Bytes of a socket's path. */
const longestPath = 100;

/**
 * Where workers that `keepWarm` keeps wait for the next run of a pipeline with the same images. Undefined: the program
 * has no pipeline, or the path of the cache folder is too long.
 */
export function warmSocket(env: Environment): string | undefined {
  const { [targetVariable]: target, [builtImages]: images, BUILD_WORKSPACE_DIRECTORY: workspace } = env;
  if (!target || !images) return undefined;
  const key = createHash("sha256")
    .update(JSON.stringify([workspace, target, images]))
    .digest("hex");
  const path = join(cacheFolder(env), "warm", key.slice(0, 16));
  return Buffer.byteLength(path) > longestPath ? undefined : path;
}
