import { type FileHandle, open } from "node:fs/promises";
import { posix } from "node:path";
import { UserError } from "../../core/errors.ts";
import { readExtent } from "../../debian/root-tree.ts";
import { indexTar } from "../../debian/tar-index.ts";
import type { TarEntry } from "../../layer/entry.ts";
import { type NativeCheck, type NativePlatform, ownPlatform } from "../../layer/native.ts";
import { readLinkSource } from "../../layer/source.ts";
import { linkInTree } from "../../layer/tree-link.ts";
import { Arguments, argumentError, type Entry, malformed, texts } from "../arguments.ts";
import { modulePath } from "../bytecode/paths.ts";
import type { Context } from "../context.ts";
import { readInput } from "../files.ts";
import { layerOptions, writeLayerFiles } from "../layer-output.ts";
import { withoutRepositories } from "../repo-mapping.ts";

/**
 * `layer --output=BLOB --metadata=JSON [--packages=JSON] --compression=gzip|zstd|none [--comment=TEXT] [--root=FOLDER]
 * [--platform=OS/ARCHITECTURE [--program=SOURCE]]`, then entries: `["file", IMAGE_PATH, SOURCE, {"mode", "uid",
 * "gid"}]`, `["symlink", IMAGE_PATH, TARGET]`, `["empty", IMAGE_PATH]`, `["directory", IMAGE_PATH, {"mode", "uid",
 * "gid"}]`, `["repo_mapping", IMAGE_PATH, SOURCE, PREFIX…]` (see {@link withoutRepositories}).
 *
 * Further entries describe sources, which need not be in the layer: `["link", SOURCE]`, a declared symlink, which stays
 * unchanged; `["tree", SOURCE]`, a tree artifact. In a tree, a link to another member in the layer stays a link; every
 * other link is replaced by its target. `["bytecode", SOURCE]` is an uncompressed layer of the command `bytecode`: its
 * files are added if their modules are in this layer.
 *
 * PLATFORM is the image's platform. {@link NativeCheck} refuses files for other platforms.
 *
 * Image paths are relative to FOLDER (default: the image's root) and may leave it with `..`, as Bazel's runfiles paths
 * of other repositories do.
 */
export async function layer(args: readonly string[], context: Context): Promise<void> {
  const options = new Arguments(args, [...layerOptions, "root", "platform", "program"], context);
  const root = options.optional("root");
  const place = (path: string) => (root === undefined ? path : below(root, path));
  const entries: Given[] = [];
  const links = new Set<string>();
  const trees = new Set<string>();
  const archives: string[] = [];
  for (const entry of options.entries) {
    if (entry.kind === "link") links.add(texts(entry, ["SOURCE"])[0]);
    else if (entry.kind === "tree") trees.add(texts(entry, ["SOURCE"])[0]);
    else if (entry.kind === "bytecode") archives.push(options.resolve(texts(entry, ["SOURCE"])[0]));
    else entries.push(given(entry, place, options));
  }
  const native = nativeCheck(options);
  const opened: FileHandle[] = [];
  try {
    const compiled = await bytecodeOf(new Set(entries.map(({ path }) => path)), archives, opened);
    await writeLayerFiles(options, context, {
      entries: [...toTar(entries, links, trees, options), ...compiled],
      ...(native ? { native } : {}),
    });
  } finally {
    await Promise.all(opened.map((file) => file.close()));
  }
}

async function bytecodeOf(
  modules: ReadonlySet<string>,
  archives: readonly string[],
  opened: FileHandle[],
): Promise<TarEntry[]> {
  const entries: TarEntry[] = [];
  for (const archive of archives) {
    const file = await open(archive);
    opened.push(file);
    for (const { path, type, offset, size } of await indexTar(file, archive)) {
      if (type !== "file" || !modules.has(modulePath(path))) continue;
      const read = (target: Uint8Array, at: number) => readExtent(file, target, offset + at);
      entries.push({ type: "file", path, content: { size, read }, origin: `bytecode in ${archive}` });
    }
  }
  return entries;
}

interface Attributes {
  mode?: number;
  uid?: number;
  gid?: number;
}

interface FromSource extends Attributes {
  readonly path: string;
  readonly source: string;
}

type Given = TarEntry | FromSource;

function toTar(
  given: readonly Given[],
  links: ReadonlySet<string>,
  trees: ReadonlySet<string>,
  options: Arguments,
): TarEntry[] {
  const paths = trees.size > 0 ? new Set(given.map(({ path }) => path)) : undefined;
  return given.map((entry) => {
    if (!("source" in entry)) return entry;
    const { source, ...rest } = entry;
    const { path } = rest;
    const file = options.resolve(source);
    if (links.has(source)) return { type: "symlink", path, target: readLinkSource(file, path) };
    const target = paths && linkBetweenMembers(file, source, path, trees, paths);
    return target === undefined ? { type: "file", ...rest, content: { file } } : { type: "symlink", path, target };
  });
}

function linkBetweenMembers(
  file: string,
  source: string,
  path: string,
  trees: ReadonlySet<string>,
  paths: ReadonlySet<string>,
): string | undefined {
  for (let end = source.lastIndexOf("/"); end > 0; end = source.lastIndexOf("/", end - 1)) {
    if (!trees.has(source.slice(0, end))) continue;
    const target = linkInTree(file, source, source.slice(end + 1));
    return target !== undefined && paths.has(posix.join(posix.dirname(path), target)) ? target : undefined;
  }
  return undefined;
}

function nativeCheck(options: Arguments): NativeCheck | undefined {
  const text = options.optional("platform");
  const program = options.optional("program");
  if (text === undefined) return undefined;
  const [os, architecture] = text.split("/");
  if (!os || !architecture)
    throw argumentError("--platform", `--platform=${text} is not a platform.`, "Write OS/ARCHITECTURE.");
  const image: NativePlatform = { os, architecture };
  return { image, builder: ownPlatform(), program: program === undefined ? undefined : options.resolve(program) };
}

function below(root: string, path: string): string {
  const joined = posix.join(root, path);
  if (joined === ".." || joined.startsWith("../")) {
    throw new UserError(
      { code: "layer-conflict", culprit: path },
      `${path} leads out of the image when it starts at ${root}.`,
      "Use a path that stays inside the image.",
    );
  }
  return joined;
}

function given(entry: Entry, place: (path: string) => string, options: Arguments): Given {
  switch (entry.kind) {
    case "file": {
      const { attributes, plain } = withAttributes(entry, 2);
      const [path, source] = texts(plain, ["IMAGE_PATH", "SOURCE"]);
      return { path: place(path), source, ...attributes };
    }
    case "symlink": {
      const [path, target] = texts(entry, ["IMAGE_PATH", "TARGET"]);
      return { type: "symlink", path: place(path), target };
    }
    case "empty": {
      const [path] = texts(entry, ["IMAGE_PATH"]);
      return { type: "file", path: place(path), content: { bytes: new Uint8Array() } };
    }
    case "repo_mapping": {
      const mapping = repoMapping(entry, options);
      return { ...mapping, path: place(mapping.path) };
    }
    case "directory": {
      const { attributes, plain } = withAttributes(entry, 1);
      const [path] = texts(plain, ["IMAGE_PATH"]);
      return { type: "directory", path: place(path), ...attributes };
    }
    default:
      throw malformed(entry.text, "a file, symlink, empty, directory, repo_mapping, link, tree or bytecode");
  }
}

function repoMapping(entry: Entry, options: Arguments): TarEntry {
  const names = ["IMAGE_PATH", "SOURCE", ...entry.values.slice(2).map(() => "PREFIX")];
  const [path, source, ...prefixes] = texts(entry, names);
  const bytes = withoutRepositories(readInput(options.resolve(source as string)), prefixes);
  return { type: "file", path: path as string, content: { bytes } };
}

function withAttributes(entry: Entry, count: number): { readonly attributes: Attributes; readonly plain: Entry } {
  const [given, ...more] = entry.values.slice(count);
  const plain = given === undefined ? entry : { ...entry, values: entry.values.slice(0, count) };
  const attributes: Attributes = {};
  for (const [key, value] of typeof given === "object" && given !== null ? Object.entries(given) : []) {
    if ((key !== "mode" && key !== "uid" && key !== "gid") || typeof value !== "number") throw wrong();
    attributes[key] = value;
  }
  if (more.length > 0 || (given !== undefined && (typeof given !== "object" || given === null))) throw wrong();
  return { attributes, plain };

  function wrong() {
    return malformed(entry.text, `["${entry.kind}", …, {"mode": 493, "uid": 0, "gid": 0}]`);
  }
}
