import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { BenchContext } from "../context.ts";
import type { Result } from "../measure.ts";
import type { Workspace } from "../workspace.ts";

/** Case 5: what the base and the image take on this machine. */
export function sizesCase(context: BenchContext, workspace: Workspace, baseBytes: number): Result {
  context.tell("bytes of the base, and of what image actions make");
  const external = join(workspace.outputBase, "external");
  const base = readdirSync(external).filter((name) => /base_images[~+]base$/.test(name));
  if (base.length !== 1) throw new Error(`no folder of the base in ${external}`);
  const here = bytesBelow(join(external, base[0] as string)).bytes;

  workspace.bazel("clean");
  workspace.bazel("build", "//app:main_local");
  const output = join(workspace.outputBase, "execroot/_main/bazel-out");
  const before = bytesBelow(output);
  workspace.bazel("build", "//app:main");
  const after = bytesBelow(output);
  // Tools that images need are made once for all of them and belong to no image.
  const made = [...after.files].filter(([path]) => !before.files.has(path) && !/^[^/]*-exec/.test(path));
  const ofImage = made.filter(([path]) => /^[^/]+\/bin\/app\//.test(path));
  if (ofImage.length === 0) throw new Error(`the image left no file in ${output}`);
  const all = ofImage.reduce((sum, [, size]) => sum + size, 0);
  const layers = ofImage.filter(([path]) => /\.tar(\.gz|\.zst)?$/.test(path)).reduce((sum, [, size]) => sum + size, 0);
  return {
    case: "bytes",
    median_s: 0,
    floor_s: 0,
    ratio: Number((all / layers).toFixed(4)),
    goal: "at most 50 KB of the base here; files of image actions at most 1.1 of the compressed layers",
    reached: here <= 50_000 && all <= 1.1 * layers,
    peers: {},
    samples: {},
    counts: { base_bytes: baseBytes, base_bytes_here: here, image_files_bytes: all, layer_bytes: layers },
  };
}

/** Regular files below a folder, by path, without what links lead to. */
function bytesBelow(folder: string): { readonly bytes: number; readonly files: ReadonlyMap<string, number> } {
  const files = new Map<string, number>();
  // Not by readdir's own recursion, which goes through links to folders.
  const walk = (at: string) => {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      const path = join(at, entry.name);
      if (entry.isDirectory()) walk(path);
      // A hard link to the layer beside it takes no room.
      else if (entry.isFile() && !entry.name.endsWith(".kept"))
        files.set(path.slice(folder.length + 1), lstatSync(path).size);
    }
  };
  walk(folder);
  return { bytes: [...files.values()].reduce((sum, size) => sum + size, 0), files };
}
