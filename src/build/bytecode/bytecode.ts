import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { openDeb } from "../../debian/deb.ts";
import { readExtent } from "../../debian/root-tree.ts";
import type { TarEntry } from "../../layer/entry.ts";
import { Arguments, malformed, texts } from "../arguments.ts";
import type { Context } from "../context.ts";
import { layerOptions, writeLayerFiles } from "../layer-output.ts";
import type { PythonCompiler } from "./compiler.ts";
import { bytecodePath } from "./paths.ts";

/**
 * `bytecode --output=BLOB --metadata=JSON [--packages=JSON] --compression=gzip|zstd|none [--comment=TEXT]`, then
 * `["file", IMAGE_PATH, SOURCE]` for each module and `["deb", PATH]` for Debian packages: a layer with bytecode, each
 * beside its module. A module that does not compile has none, as with Python's own `compileall`.
 */
export async function bytecode(args: readonly string[], context: Context, compiler: PythonCompiler): Promise<void> {
  const options = new Arguments(args, layerOptions, context);
  const scratch = dirname(options.output("output"));
  const entries: TarEntry[] = [];
  const add = async (path: string, source: Uint8Array) => {
    context.signal.throwIfAborted();
    const bytes = await compiler(source, `/${path}`);
    if (bytes) entries.push({ type: "file", path: bytecodePath(path), content: { bytes } });
  };
  for (const entry of options.entries) {
    if (entry.kind === "file") {
      const [path, source] = texts(entry, ["IMAGE_PATH", "SOURCE"]);
      await add(path, options.read(source));
    } else if (entry.kind === "deb") {
      await eachModule(options.resolve(texts(entry, ["PATH"])[0]), scratch, add);
    } else {
      throw malformed(entry.text, "a file or deb");
    }
    // Lets a worker receive a cancellation.
    await new Promise(setImmediate);
  }
  await writeLayerFiles(options, context, { entries });
}

/** Folders from which Debian's Python imports. */
const imported = /^usr\/lib\/python3(\.11)?\/.*\.py$/;

async function eachModule(deb: string, scratch: string, add: (path: string, source: Uint8Array) => Promise<void>) {
  const folder = await mkdtemp(join(scratch, "bytecode-"));
  let file: FileHandle | undefined;
  try {
    const { dataPath, entries } = await openDeb(deb, join(folder, "data.tar"));
    file = await open(dataPath);
    for (const { path, type, offset, size } of entries) {
      if (type !== "file" || !imported.test(path)) continue;
      const source = new Uint8Array(size);
      readExtent(file, source, offset);
      await add(path, source);
    }
  } finally {
    await file?.close();
    await rm(folder, { recursive: true, force: true });
  }
}
