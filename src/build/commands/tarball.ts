import type { Content, TarEntry } from "../../layer/entry.ts";
import { writeLayer } from "../../layer/write.ts";
import { archiveFiles } from "../../oci/layout.ts";
import { parseReference } from "../../oci/reference.ts";
import { Arguments, argumentError } from "../arguments.ts";
import type { Context } from "../context.ts";
import { imageOptions, readImage } from "../image-files.ts";

/**
 * `tarball --output=FILE --tag=NAME:TAG --descriptor=PATH --manifest=PATH --config=PATH ["blob", METADATA, BLOB]…`: a
 * tar that podman, docker, containerd and skopeo can all read: see {@link archiveFiles}.
 */
export async function tarball(args: readonly string[], context: Context): Promise<void> {
  const options = new Arguments(args, ["output", "tag", ...imageOptions], context);
  const image = readImage(options);
  const tag = options.one("tag");
  const reference = parseReference(tag);
  if (reference.tag === undefined) throw argumentError("--tag", `--tag=${tag} has no tag.`, "Write NAME:TAG.");
  const entries: TarEntry[] = [];
  for (const [path, bytes] of archiveFiles({ ...image, reference, name: tag })) entries.push(entry(path, { bytes }));
  for (const [path, content] of image.blobs) entries.push(entry(path, content));
  await writeLayer({
    entries,
    output: options.output("output"),
    compression: "none",
    signal: context.signal,
  });
}

function entry(path: string, content: Content): TarEntry {
  return { type: "file", path, content, mode: 0o644 };
}
