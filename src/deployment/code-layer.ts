import { lstat, mkdir, readdir, readFile, readlink } from "node:fs/promises";
import { basename, join } from "node:path";
import type { TarEntry } from "../layer/entry.ts";
import { writeLayer } from "../layer/write.ts";
import { replaceFile, syncFolder } from "../oci/files.ts";
import { formatLayerMetadata, type LayerMetadata, parseLayerMetadata } from "../oci/layer.ts";

/** Where code is in an image, without the slash it starts with. */
export const imageCodeFolder = "slipway/code";

/** A layer with the files of a commit. */
export interface CodeLayer {
  readonly metadata: LayerMetadata;
  /** Path of the blob. */
  readonly blob: string;
}

/**
 * The files of a checkout as one layer: the same commit gives the same bytes on every machine, and is packed once. It has no `.git`, since
 * checkouts have none; links stay what they are.
 *
 * @param cache folder of all repositories, as for `checkOut`
 * @param checkout what `checkOut` gave: a folder whose name is its commit
 */
export async function codeLayer(cache: string, checkout: string): Promise<CodeLayer> {
  const commit = basename(checkout);
  const folder = join(cache, "layers");
  const [blob, description] = [join(folder, `${commit}.tar.gz`), join(folder, `${commit}.layer.json`)];
  // The description is written last: where it is, the blob is too.
  const known = await readFile(description).catch(() => undefined);
  if (known) return { metadata: parseLayerMetadata(known, description), blob };
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const metadata = await writeLayer({
    entries: await entriesOf(checkout, imageCodeFolder),
    output: blob,
    compression: "gzip",
    comment: `code at ${commit}`,
  });
  await syncFolder(folder);
  await replaceFile(description, formatLayerMetadata(metadata));
  return { metadata, blob };
}

async function entriesOf(folder: string, path: string): Promise<TarEntry[]> {
  const entries: TarEntry[] = [{ type: "directory", path }];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const [source, target] = [join(folder, entry.name), `${path}/${entry.name}`];
    if (entry.isDirectory()) entries.push(...(await entriesOf(source, target)));
    else if (entry.isSymbolicLink()) entries.push({ type: "symlink", path: target, target: await readlink(source) });
    else {
      // Git knows one thing about a file's mode: whether it can be executed.
      const mode = (await lstat(source)).mode & 0o100 ? 0o755 : 0o644;
      entries.push({ type: "file", path: target, mode, content: { file: source } });
    }
  }
  return entries;
}
