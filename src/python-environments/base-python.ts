import { mkdir, readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { replaceFile } from "../core/files.ts";
import { decompressLayer } from "../layer/decompress.ts";
import { listTar } from "../layer/read.ts";
import { parseImageConfig } from "../oci/config.ts";
import type { SourceImage } from "../registry/source-image.ts";
import { isWanted } from "./model.ts";
import { environmentsFolder } from "./store.ts";
import type { BasePython } from "./venv-tree.ts";

export function variablesOf(config: Uint8Array, image: string): Map<string, string> {
  const { Env = [] } = parseImageConfig(config, `Configuration of ${image}`).config ?? {};
  return new Map(Env.map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]));
}

/**
 * Docker's images name their Python in variables. Others are searched, from the last layer down, on their `PATH`.
 *
 * @param wanted `3.12` or `3.12.1`; undefined: any
 */
export async function basePython(
  image: SourceImage,
  name: string,
  wanted: string | undefined,
  env: Environment,
): Promise<BasePython> {
  const { manifest, config } = await image.read();
  const variables = variablesOf(config, name);
  const version = variables.get("PYTHON_VERSION");
  const found =
    version !== undefined && variables.has("PYTHON_SHA256")
      ? { path: "/usr/local/bin/python3", version: version.replace(/[a-z].*$/, "") }
      : await searched(image, manifest, variables.get("PATH") ?? "/usr/local/bin:/usr/bin:/bin", env);
  if (!found) {
    throw new UserError(
      { code: "image-unsuitable", culprit: name },
      `${name} has no Python 3 on its PATH.`,
      "Set `base` to an image with Python.",
    );
  }
  // An image may tell only 3.12, which is no reason to refuse 3.12.1.
  if (isWanted(wanted, found.version) || wanted?.startsWith(`${found.version}.`)) return found;
  throw new UserError(
    { code: "image-unsuitable", culprit: name },
    `${name} has Python ${found.version}, not ${wanted}.`,
    `Set \`base\` to an image that has Python ${wanted}, or \`python\` to ${found.version}.`,
  );
}

async function searched(
  image: SourceImage,
  manifest: Uint8Array,
  path: string,
  env: Environment,
): Promise<BasePython | undefined> {
  const folder = join(environmentsFolder(env), "bases");
  const known = join(folder, `${image.reference.digest.replace(":", "-")}.json`);
  const text = await readFile(known, "utf8").catch(() => undefined);
  if (text !== undefined) return JSON.parse(text) as BasePython;
  const folders = path.split(":").map((each) => posix.normalize(`${each}/`));
  const found = await search(image, manifest, folders);
  if (!found) return undefined;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await replaceFile(known, JSON.stringify(found));
  return found;
}

async function search(
  image: SourceImage,
  manifest: Uint8Array,
  folders: readonly string[],
): Promise<BasePython | undefined> {
  for (const blob of await image.layers(manifest)) {
    let best: (BasePython & { readonly rank: number; readonly minor: number }) | undefined;
    for await (const { path, type } of listTar(decompressLayer(blob()))) {
      const [, minor] = /\/python3\.(\d+)$/.exec(path) ?? [];
      // Merged folders: /bin is /usr/bin.
      const rank = folders.findIndex(
        (each) => `/${path}`.startsWith(each) && !`/${path}`.slice(each.length).includes("/"),
      );
      if (minor === undefined || rank < 0 || (type !== "file" && type !== "symlink" && type !== "hardlink")) continue;
      const candidate = { path: `/${path}`, version: `3.${minor}`, rank, minor: Number(minor) };
      if (!best || rank < best.rank || (rank === best.rank && candidate.minor > best.minor)) best = candidate;
    }
    if (best) return { path: best.path, version: best.version };
  }
  return undefined;
}
