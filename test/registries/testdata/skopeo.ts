import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { temporaryFolder } from "../../../src/core/testdata/folder.ts";
import { sha256 } from "../../../src/oci/digest.ts";

const run = promisify(execFile);

/**
 * Pulls an image with skopeo.
 *
 * @param flags of `skopeo copy`
 * @returns the digests of what came: manifest, configuration and layers
 */
export async function pullWithSkopeo(image: string, flags: readonly string[]): Promise<Set<string>> {
  const scratch = temporaryFolder();
  const folder = join(scratch, "image");
  const policy = ["--insecure-policy"];
  // Without this variable it looks for logins in a folder that may be another user's.
  const env = { ...process.env, XDG_RUNTIME_DIR: scratch };
  await run("skopeo", [...policy, "copy", "--quiet", ...flags, `docker://${image}`, `dir:${folder}`], { env });
  return new Set(readdirSync(folder).map((name) => sha256(readFileSync(join(folder, name)))));
}
