import { posix } from "node:path";
import type { TarEntry } from "../../layer/entry.ts";
import { type NativeCheck, type NativePlatform, ownPlatform } from "../../layer/native.ts";
import { readLinkSource } from "../../layer/source.ts";
import { linkInTree } from "../../layer/tree_link.ts";
import { writeLayer } from "../../layer/write.ts";
import { UserError } from "../../oci/errors.ts";
import { formatLayerMetadata } from "../../oci/layer.ts";
import { Arguments, type Entry, malformed, texts } from "../arguments.ts";
import { compressionOption } from "../compression_option.ts";
import { type Context, pathIn } from "../context.ts";
import { writeFiles } from "../files.ts";

/**
 * `layer --output=BLOB --metadata=JSON --compression=gzip|zstd|none [--comment=TEXT] [--root=FOLDER] [--platform=OS/ARCHITECTURE
 * [--program=SOURCE]]`, then entries: `["file", IMAGE_PATH, SOURCE]`, `["symlink", IMAGE_PATH, TARGET]`, `["readlink", IMAGE_PATH, SOURCE]`,
 * `["member", IMAGE_PATH, SOURCE, PATH_IN_TREE]`, `["empty", IMAGE_PATH]`, `["directory", IMAGE_PATH, {"mode", "uid", "gid"}]`.
 *
 * A member of a tree artifact that is a link to another one that the layer has stays a link; every other link there becomes what it points
 * at. PLATFORM is the image's: see {@link NativeCheck} for what is refused then.
 *
 * Image paths are relative to FOLDER (default: the image's root) and may leave it by `..`: Bazel's own paths of runfiles do, for files of
 * other repositories, and so they are taken as they are.
 */
export async function layer(args: readonly string[], context: Context): Promise<void> {
  const options = new Arguments(args, ["output", "metadata", "compression", "comment", "root", "platform", "program"]);
  const comment = options.optional("comment");
  const root = options.optional("root");
  const place = (path: string) => (root === undefined ? path : below(root, path));
  const entries = options.entries.map((entry) => {
    const tarEntry = toTar(entry, context);
    return { ...tarEntry, path: place(tarEntry.path) };
  });
  keepLinks(entries, options.entries, context);
  const native = nativeCheck(options, context);
  const metadata = await writeLayer({
    entries,
    output: pathIn(context, options.one("output")),
    compression: compressionOption(options),
    ...(comment === undefined ? {} : { comment }),
    ...(native ? { native } : {}),
    signal: context.signal,
  });
  writeFiles(new Map([[pathIn(context, options.one("metadata")), formatLayerMetadata(metadata)]]));
}

/** Turns members of tree artifacts into links where they are links to each other. */
function keepLinks(entries: TarEntry[], given: readonly Entry[], context: Context): void {
  if (!given.some((entry) => entry.kind === "member")) return;
  const paths = new Set(entries.map((entry) => entry.path));
  given.forEach((entry, index) => {
    if (entry.kind !== "member") return;
    const [, source, inTree] = texts(entry, member);
    const { path } = entries[index] as TarEntry;
    const target = linkInTree(pathIn(context, source), source, inTree);
    if (target === undefined || !paths.has(posix.join(posix.dirname(path), target))) return;
    entries[index] = { type: "symlink", path, target };
  });
}

function nativeCheck(options: Arguments, context: Context): NativeCheck | undefined {
  const text = options.optional("platform");
  const program = options.optional("program");
  if (text === undefined) return undefined;
  const [os, architecture] = text.split("/");
  if (!os || !architecture) throw new UserError(`--platform=${text} is no platform.`, "Write OS/ARCHITECTURE.");
  const image: NativePlatform = { os, architecture };
  return { image, builder: ownPlatform(), program: program === undefined ? undefined : pathIn(context, program) };
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

const member = ["IMAGE_PATH", "SOURCE", "PATH_IN_TREE"] as const;

function toTar(entry: Entry, context: Context): TarEntry {
  switch (entry.kind) {
    case "file": {
      const [path, source] = texts(entry, ["IMAGE_PATH", "SOURCE"]);
      return { type: "file", path, content: { file: pathIn(context, source) } };
    }
    case "member": {
      const [path, source] = texts(entry, member);
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
      throw malformed(entry.text, "a file, member, symlink, readlink, empty or directory");
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
