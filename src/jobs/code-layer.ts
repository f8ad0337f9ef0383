import { lstat, mkdir, readdir, readFile, readlink } from "node:fs/promises";
import { basename, join, posix } from "node:path";
import { UserError } from "../core/errors.ts";
import { replaceFile, syncFolder } from "../core/files.ts";
import type { TarEntry } from "../layer/entry.ts";
import { writeLayer } from "../layer/write.ts";
import { formatLayerMetadata, type LayerMetadata, parseLayerMetadata } from "../oci/layer.ts";

/** The folder of code in an image, without the leading slash. */
export const imageCodeFolder = "slipway/code";

/** A layer with code. */
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
    entries: await entriesOf(checkout, imageCodeFolder, () => {}),
    output: blob,
    compression: "gzip",
    comment: `code at ${commit}`,
  });
  await syncFolder(folder);
  await replaceFile(description, formatLayerMetadata(metadata));
  return { metadata, blob };
}

/**
 * Folders of this machine as one layer, as they are now: the first below `slipway/code/0`, the next below `slipway/code/1`, and so on, without what
 * git keeps there for itself. The same files give the same bytes on every machine.
 *
 * @param blob path of the file to write
 * @throws UserError for a link that leads out of its folder, and for what is neither file, folder nor link
 */
export async function folderLayer(folders: readonly string[], blob: string): Promise<CodeLayer> {
  const entries: TarEntry[] = [];
  for (const [index, folder] of folders.entries()) {
    const root = `${imageCodeFolder}/${index}`;
    entries.push(...(await entriesOf(folder, root, (link) => requireInside(folder, root, link))));
  }
  return { metadata: await writeLayer({ entries, output: blob, compression: "gzip", comment: "code" }), blob };
}

interface Link {
  /** In the image. */
  readonly path: string;
  readonly target: string;
}

/** Refuses links out of the folder: there, the image has other files than this machine. */
function requireInside(folder: string, root: string, { path, target }: Link): void {
  const end = posix.normalize(posix.join(posix.dirname(path), target));
  if (!target.startsWith("/") && (end === root || end.startsWith(`${root}/`))) return;
  const culprit = join(folder, posix.relative(root, path));
  throw new UserError(
    { code: "code-invalid", culprit },
    `code_paths: ${culprit} is a link to ${target}, outside the folder.`,
    "Move the target into the folder, or remove the link.",
  );
}

async function entriesOf(folder: string, path: string, checkLink: (link: Link) => void): Promise<TarEntry[]> {
  const entries: TarEntry[] = [{ type: "directory", path }];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const [source, place] = [join(folder, entry.name), `${path}/${entry.name}`];
    // A file, where it is that of a worktree or a submodule.
    if (entry.name === ".git") continue;
    if (entry.isDirectory()) entries.push(...(await entriesOf(source, place, checkLink)));
    else if (entry.isSymbolicLink()) {
      const link = { path: place, target: await readlink(source) };
      checkLink(link);
      entries.push({ type: "symlink", ...link });
    } else if (entry.isFile()) {
      // Git knows one thing about a file's mode: whether it can be executed.
      const mode = (await lstat(source)).mode & 0o100 ? 0o755 : 0o644;
      entries.push({ type: "file", path: place, mode, content: { file: source } });
    } else {
      throw new UserError(
        { code: "code-invalid", culprit: source },
        `The code contains ${source}, which is neither a file nor a folder.`,
        "Keep it somewhere else.",
      );
    }
  }
  return entries;
}
