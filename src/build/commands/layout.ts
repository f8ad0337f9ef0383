import { chmod, constants, copyFile, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Content } from "../../layer/entry.ts";
import { temporaryName } from "../../layer/output.ts";
import { layoutFiles } from "../../oci/layout.ts";
import { Arguments } from "../arguments.ts";
import type { Context } from "../context.ts";
import { imageOptions, readImages } from "../image-files.ts";

/**
 * `layout --output=DIR --descriptor=PATH --manifest=PATH --config=PATH ["blob", METADATA, BLOB]…`; with `--index=PATH`,
 * of several images: see {@link readImages}. Blobs are copied, since a hard link would share mode and content. Copies
 * share blocks if the file system supports it.
 */
export async function layout(args: readonly string[], context: Context): Promise<void> {
  const options = new Arguments(args, ["output", "index", ...imageOptions], context);
  const image = readImages(options);
  const output = options.output("output");
  const folder = temporaryName(output);
  try {
    await mkdir(folder);
    for (const [path, bytes] of layoutFiles(image.descriptor)) await writeFile(join(folder, path), bytes);
    for (const [path, content] of image.blobs) {
      context.signal.throwIfAborted();
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await place(content, join(folder, path));
    }
    // A rename replaces Bazel's output folder only while it is empty.
    await rm(output, { recursive: true, force: true });
    await rename(folder, output);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function place(content: Content, path: string): Promise<void> {
  if ("bytes" in content) return writeFile(path, content.bytes);
  await copyFile(content.file, path, constants.COPYFILE_FICLONE);
  // Bazel's outputs are read-only.
  await chmod(path, 0o644);
}
