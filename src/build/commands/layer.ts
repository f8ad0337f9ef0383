import { posix } from "node:path";
import type { TarEntry } from "../../layer/entry.ts";
import { readLinkSource } from "../../layer/source.ts";
import { writeLayer } from "../../layer/write.ts";
import { UserError } from "../../oci/errors.ts";
import { formatLayerMetadata } from "../../oci/layer.ts";
import { Arguments, type Entry, malformed, texts } from "../arguments.ts";
import { compressionOption } from "../compression_option.ts";
import { type Context, pathIn } from "../context.ts";
import { writeFiles } from "../files.ts";

/**
 * `layer --output=BLOB --metadata=JSON --compression=gzip|zstd|none [--comment=TEXT] [--root=FOLDER]`, then entries:
 * `["file", IMAGE_PATH, SOURCE]`, `["symlink", IMAGE_PATH, TARGET]`, `["readlink", IMAGE_PATH, SOURCE]`, `["empty", IMAGE_PATH]`,
 * `["directory", IMAGE_PATH, {"mode", "uid", "gid"}]`.
 *
 * Image paths are relative to FOLDER (default: the image's root) and may leave it by `..`: Bazel's own paths of runfiles do, for files of
 * other repositories, and so they are taken as they are.
 */
export async function layer(args: readonly string[], context: Context): Promise<void> {
  const options = new Arguments(args, ["output", "metadata", "compression", "comment", "root"]);
  const comment = options.optional("comment");
  const root = options.optional("root");
  const metadata = await writeLayer({
    entries: options.entries.map((entry) => {
      const tarEntry = toTar(entry, context);
      return root === undefined ? tarEntry : { ...tarEntry, path: below(root, tarEntry.path) };
    }),
    output: pathIn(context, options.one("output")),
    compression: compressionOption(options),
    ...(comment === undefined ? {} : { comment }),
    signal: context.signal,
  });
  writeFiles(new Map([[pathIn(context, options.one("metadata")), formatLayerMetadata(metadata)]]));
}

function below(root: string, path: string): string {
  const joined = posix.join(root, path);
  if (joined === ".." || joined.startsWith("../")) {
    throw new UserError(
      `${path} lies outside the image when it is taken from ${root}.`,
      "Give a path that stays inside.",
    );
  }
  return joined;
}

function toTar(entry: Entry, context: Context): TarEntry {
  switch (entry.kind) {
    case "file": {
      const [path, source] = texts(entry, ["IMAGE_PATH", "SOURCE"]);
      return { type: "file", path, content: { file: pathIn(context, source) } };
    }
    case "symlink": {
      const [path, target] = texts(entry, ["IMAGE_PATH", "TARGET"]);
      return { type: "symlink", path, target };
    }
    case "readlink": {
      const [path, source] = texts(entry, ["IMAGE_PATH", "SOURCE"]);
      return { type: "symlink", path, target: readLinkSource(pathIn(context, source), path) };
    }
    case "empty": {
      const [path] = texts(entry, ["IMAGE_PATH"]);
      return { type: "file", path, content: { bytes: new Uint8Array() } };
    }
    case "directory":
      return directory(entry);
    default:
      throw malformed(entry.text, "a file, symlink, readlink, empty or directory");
  }
}

function directory(entry: Entry): TarEntry {
  const [path, attributes = {}, ...more] = entry.values;
  if (typeof path !== "string" || typeof attributes !== "object" || attributes === null || more.length > 0)
    throw wrong();
  const numbers: { mode?: number; uid?: number; gid?: number } = {};
  for (const [key, value] of Object.entries(attributes)) {
    if ((key !== "mode" && key !== "uid" && key !== "gid") || typeof value !== "number") throw wrong();
    numbers[key] = value;
  }
  return { type: "directory", path, ...numbers };

  function wrong() {
    return malformed(entry.text, '["directory", "IMAGE_PATH", {"mode": 493, "uid": 0, "gid": 0}]');
  }
}
