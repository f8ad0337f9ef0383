import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../../../src/build/commands.ts";
import type { Compression } from "../../../src/layer/compression.ts";
import type { TarEntry } from "../../../src/layer/entry.ts";
import { writeLayer } from "../../../src/layer/write.ts";
import { formatLayerMetadata } from "../../../src/oci/layer.ts";

const bytes = (size: number) => Buffer.alloc(size, "what a file holds\n");

/**
 * Everything that a layer can hold, and that readers of tar differ about: long names, names in Unicode, links, empty
 * and large files.
 */
export const entries: readonly TarEntry[] = [
  { type: "file", path: "app/empty", content: { bytes: bytes(0) } },
  { type: "file", path: "app/large", content: { bytes: bytes(3_000_001) } },
  { type: "file", path: "app/größe/日本語 with spaces", content: { bytes: bytes(513) } },
  { type: "file", path: `app/${"long".repeat(20)}/${"name".repeat(40)}`, content: { bytes: bytes(512) } },
  { type: "file", path: `app/${"deep/".repeat(60)}file`, content: { bytes: bytes(1) } },
  { type: "file", path: "app/-rf", mode: 0o644, content: { bytes: bytes(7) } },
  { type: "symlink", path: "app/link", target: "größe/日本語 with spaces" },
  { type: "symlink", path: "app/dangling", target: `../nowhere/${"far".repeat(50)}` },
  { type: "hardlink", path: "app/zweiter", target: "app/large" },
  { type: "directory", path: "home/user", mode: 0o750, uid: 1000, gid: 1000 },
  ...Array.from({ length: 500 }, (_, index): TarEntry => {
    return { type: "file", path: `app/many/${index}`, content: { bytes: bytes(index * 17) } };
  }),
];

/** Writes a layer of {@link entries} to `layer`. */
export async function makeLayer(folder: string, compression: Compression): Promise<string> {
  const output = join(folder, "layer");
  const metadata = await writeLayer({ entries, output, compression });
  writeFileSync(join(folder, "layer.json"), formatLayerMetadata(metadata));
  return output;
}

/**
 * Makes an image of that layer: an OCI layout in `layout` whose image is called `latest`, and the archive `image.tar`
 * with the image `NAME`.
 */
export async function makeImage(folder: string, compression: Compression, name: string): Promise<void> {
  await makeLayer(folder, compression);
  const context = { folder, signal: new AbortController().signal };
  const image = ["--manifest=manifest.json", "--config=config.json", "--descriptor=descriptor.json"];
  const architecture = execFileSync("uname", ["-m"], { encoding: "utf8" }).trim() === "aarch64" ? "arm64" : "amd64";
  const spec = { os: "linux", architecture, entrypoint: ["/app/empty"] };
  await runCommand(["manifest", ...image, "--layer=layer.json", `--spec=${JSON.stringify(spec)}`], context);
  const blob = JSON.stringify(["blob", "layer.json", "layer"]);
  await runCommand(["layout", "--output=layout", ...image, blob], context);
  await runCommand(["tarball", "--output=image.tar", `--tag=${name}`, ...image, blob], context);
  const index = join(folder, "layout/index.json");
  const content = JSON.parse(readFileSync(index, "utf8"));
  content.manifests[0].annotations = { "org.opencontainers.image.ref.name": "latest" };
  writeFileSync(index, JSON.stringify(content));
}

/** Makes a folder below another. */
export function folderIn(parent: string, name: string): string {
  const path = join(parent, name);
  mkdirSync(path, { recursive: true });
  return path;
}

/** What a folder holds: kind, permissions and content by path. */
export function contents(root: string, below = ""): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(join(root, below))) {
    const path = below === "" ? name : `${below}/${name}`;
    const status = lstatSync(join(root, path));
    if (status.isSymbolicLink()) found[path] = `link to ${readlinkSync(join(root, path))}`;
    else if (status.isDirectory()) Object.assign(found, { [path]: describe("directory", status.mode) }, contents(root, path));
    else found[path] = describe(digest(readFileSync(join(root, path))), status.mode);
  }
  return found;
}

/** What {@link contents} finds where a layer of {@link entries} was unpacked. */
export function expected(): Record<string, string> {
  const found: Record<string, string> = {};
  const file = (path: string): string => {
    const entry = entries.find((other) => other.path === path);
    if (entry?.type !== "file" || !("bytes" in entry.content)) throw new Error(path);
    return describe(digest(entry.content.bytes), entry.mode ?? 0o755);
  };
  for (const entry of entries) {
    for (let end = entry.path.indexOf("/"); end > 0; end = entry.path.indexOf("/", end + 1)) {
      found[entry.path.slice(0, end)] ??= describe("directory", 0o755);
    }
    if (entry.type === "symlink") found[entry.path] = `link to ${entry.target}`;
    else if (entry.type === "directory") found[entry.path] = describe("directory", entry.mode ?? 0o755);
    else found[entry.path] = file(entry.type === "hardlink" ? entry.target : entry.path);
  }
  return found;
}

function describe(what: string, mode: number): string {
  return `${what} ${(mode & 0o7777).toString(8)}`;
}

function digest(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex").slice(0, 16);
}
