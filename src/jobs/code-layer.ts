import { lstat, mkdir, readdir, readFile, readlink } from "node:fs/promises";
import { basename, join, posix } from "node:path";
import { UserError } from "../core/errors.ts";
import { replaceFile, syncFolder } from "../core/files.ts";
import type { TarEntry } from "../layer/entry.ts";
import { writeLayer } from "../layer/write.ts";
import { formatLayerMetadata, type LayerMetadata, parseLayerMetadata } from "../oci/layer.ts";

export const imageCodeFolder = "slipway/code";

export interface CodeLayer {
  readonly metadata: LayerMetadata;
  readonly blob: string;
}

/** A checkout by `checkOut` as one layer. A commit gives the same bytes on every machine and is packed once. */
export async function codeLayer(cache: string, checkout: string): Promise<CodeLayer> {
  const commit = basename(checkout);
  const folder = join(cache, "layers");
  const [blob, description] = [join(folder, `${commit}.tar.gz`), join(folder, `${commit}.layer.json`)];
  // The description is written last, so the blob is complete.
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

/** Folders as one layer, at `slipway/code/0` and so on, without `.git`. Same files, same bytes on every machine. */
export async function folderLayer(folders: readonly string[], blob: string): Promise<CodeLayer> {
  const entries: TarEntry[] = [];
  for (const [index, folder] of folders.entries()) {
    const root = `${imageCodeFolder}/${index}`;
    entries.push(...(await entriesOf(folder, root, (link) => requireInside(folder, root, link))));
  }
  return { metadata: await writeLayer({ entries, output: blob, compression: "gzip", comment: "code" }), blob };
}

interface Link {
  readonly path: string;
  readonly target: string;
}

/** Refuses links out of the folder, since the image has other files there. */
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
    // In worktrees and submodules this is a file.
    if (entry.name === ".git") continue;
    if (entry.isDirectory()) entries.push(...(await entriesOf(source, place, checkLink)));
    else if (entry.isSymbolicLink()) {
      const link = { path: place, target: await readlink(source) };
      checkLink(link);
      entries.push({ type: "symlink", ...link });
    } else if (entry.isFile()) {
      // Git stores only whether a file is executable.
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
