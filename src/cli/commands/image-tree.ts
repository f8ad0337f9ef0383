import { pipeline } from "node:stream/promises";
import { UserError } from "../../core/errors.ts";
import { userPath } from "../../core/user-path.ts";
import { withNewFile, writeFully } from "../../layer/output.ts";
import type { ImageConfig } from "../../oci/config.ts";
import { formatPlatform } from "../../oci/descriptor.ts";
import { formatReference } from "../../oci/reference.ts";
import { command } from "../command.ts";
import { fetchImage, type NamedImage, openImage, type PlatformImage, readConfig } from "../image/named-image.ts";
import { treeAnswer } from "../image/tree/page-data.ts";
import { formatUsage, type ImageUsage } from "../image/tree/text.ts";
import {
  type FileUsage,
  type FolderUsage,
  isFolder,
  markHidden,
  readLayer,
  type TableLayer,
  UsageTable,
} from "../image/tree/usage.ts";
import { pageScript } from "../page-script.ts";
import { requireWhole } from "../usage-error.ts";
import { image, number, platform, text } from "./options.ts";

/** Each layer may have a window of 32 MiB. */
const parallelLayers = 2;

export const tree = command(
  {
    image,
    platform,
    depth: { ...number("Levels of folders to print, at least 1"), default: 4 },
    html: text("Write an HTML page with a treemap to this file instead"),
    json: { type: "boolean", describe: "Print every file as JSON instead, sizes in bytes" },
  },
  async (options) => {
    const remedy = "Give a whole number from 1, for example --depth 6.";
    requireWhole("--depth", options.depth, 1, "a number of levels", remedy);
    using image = await openImage(options.image);
    const usage = await readUsage(image, await fetchImage(image, options.platform));
    if (options.html !== undefined) {
      const path = userPath(options.html);
      const { treeFile } = await import("../ui/shell.ts");
      await writePage(path, treeFile(treeAnswer(usage), await pageScript()));
      process.stderr.write(`Look at ${path} in a browser.\n`);
    } else if (options.json) await pipeline(pieces(json(usage)), process.stdout, { end: false });
    else process.stdout.write(`${formatUsage(usage, options.depth)}\n`);
  },
  (yargs) =>
    yargs
      .conflicts("html", "json")
      .example("$0 image tree localhost:5000/team/app:v1 --html app.html", "Write a page to open in a browser"),
);

export async function readUsage(
  image: NamedImage,
  { manifest, descriptor }: PlatformImage,
  table = new UsageTable(),
): Promise<ImageUsage> {
  const config = await readConfig(image, manifest, descriptor.digest);
  const comments = commentsOf(config, manifest.layers.length);
  const layers: TableLayer[] = [];
  const left = manifest.layers.entries();
  // The workers share one iterator, so that each layer is read once.
  const worker = async () => {
    for (const [index, layer] of left) {
      const open = () => image.client.getBlob(image.repository, layer);
      layers[index] = await readLayer({ descriptor: layer, comment: comments[index] ?? "" }, open, table);
    }
  };
  const { digest } = descriptor;
  const [referrers] = await Promise.all([
    image.client.referrers(image.repository, digest),
    ...Array.from({ length: parallelLayers }, worker),
  ]);
  markHidden(layers);
  return { name: formatReference(image.reference), digest, platform: formatPlatform(config), layers, referrers };
}

/** One line for each layer. Empty if history and layers do not match. */
export function commentsOf({ history = [] }: ImageConfig, layers: number): string[] {
  const entries = history.filter((entry) => entry.empty_layer !== true);
  if (entries.length !== layers) return [];
  return entries.map(({ comment, created_by }) =>
    (comment || created_by || "")
      .replace(/[\s\p{Cc}]+/gu, " ")
      .trim()
      .slice(0, 100),
  );
}

async function writePage(path: string, page: string): Promise<void> {
  try {
    await withNewFile(path, (fd) => writeFully(fd, Buffer.from(page)));
  } catch (cause) {
    throw new UserError(
      { code: "file-unwritable", culprit: path },
      `--html: ${path} cannot be written: ${(cause as Error).message}.`,
      "Name a file in an existing folder that you can write to.",
      { cause },
    );
  }
}

function* json({ layers, referrers, ...image }: ImageUsage): Generator<string> {
  const about = {
    ...image,
    ...(referrers.length > 0 && {
      referrers: referrers.map(({ artifactType, digest, size }) => ({ artifactType, digest, size })),
    }),
  };
  yield `${JSON.stringify(about).slice(0, -1)},"layers":[`;
  for (const [index, { descriptor, comment, root }] of layers.entries()) {
    const { digest, size } = descriptor;
    const layer = JSON.stringify({ digest, size, ...(comment ? { comment } : {}) });
    yield `${index === 0 ? "" : ","}${layer.slice(0, -1)},"root":`;
    yield* jsonNode(root);
    yield "}";
  }
  yield "]}\n";
}

/** No recursion: each text would pass through all folders above. */
function* jsonNode(root: FolderUsage): Generator<string> {
  yield head(root);
  let separator = "";
  for (const open = [iterate(root)]; open.length > 0; ) {
    const { value, done } = (open.at(-1) as ReturnType<typeof iterate>).next();
    if (done) {
      open.pop();
      yield "]}";
    } else {
      yield separator + head(value);
      if (isFolder(value)) open.push(iterate(value));
    }
    separator = !done && isFolder(value) ? "" : ",";
  }
}

function iterate(folder: FolderUsage): Iterator<FileUsage> {
  return folder.children[Symbol.iterator]();
}

function head(node: FileUsage): string {
  const { name, size } = node;
  if (!isFolder(node)) return JSON.stringify({ name, size, ...(node.isHidden ? { hidden: size } : {}) });
  const { hidden, files } = node;
  return `${JSON.stringify({ name, size, ...(hidden > 0 ? { hidden } : {}), files }).slice(0, -1)},"children":[`;
}

/** Larger pieces need fewer writes. */
function* pieces(texts: Iterable<string>): Generator<string> {
  let piece = "";
  for (const text of texts) {
    piece += text;
    if (piece.length < 64 * 1024) continue;
    yield piece;
    piece = "";
  }
  yield piece;
}
