import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** What {@link makeImage} made. */
export interface MadeImage {
  readonly manifest: Descriptor;
  readonly config: Descriptor;
  readonly layer: Descriptor & { readonly diffId: string };
}

const base = "application/vnd.oci.image";

/**
 * Writes an OCI layout of one small image, with the tag v1, into a folder.
 *
 * @param programs programs of this machine. The first is the entry point
 */
export function makeImage(folder: string, programs: readonly string[] = []): MadeImage {
  const content = join(folder, "content");
  mkdirSync(content, { recursive: true });
  mkdirSync(join(folder, "blobs/sha256"), { recursive: true });
  writeFileSync(join(content, "hello"), "hello\n");
  for (const file of programs.flatMap((program) => [program, ...librariesOf(program)])) {
    mkdirSync(join(content, dirname(file)), { recursive: true });
    copyFileSync(file, join(content, file));
  }
  const tar = execFileSync("tar", ["-C", content, "--mode=a+rX", "-cf", "-", "."], { maxBuffer: 2 ** 26 });
  const write = (bytes: Buffer, mediaType: string): Descriptor => {
    const digest = digestOf(bytes);
    writeFileSync(join(folder, "blobs", digest.replace(":", "/")), bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const json = (value: object, mediaType: string) => write(Buffer.from(JSON.stringify(value)), mediaType);
  const diffId = digestOf(tar);
  const layer = write(gzipSync(tar), `${base}.layer.v1.tar+gzip`);
  const rootfs = { type: "layers", diff_ids: [diffId] };
  const architecture = process.arch === "arm64" ? "arm64" : "amd64";
  const run = programs.length === 0 ? {} : { Entrypoint: programs.slice(0, 1), User: "1000:1000" };
  const config = json({ architecture, os: "linux", config: run, rootfs }, `${base}.config.v1+json`);
  const mediaType = `${base}.manifest.v1+json`;
  const manifest = json({ schemaVersion: 2, mediaType, config, layers: [layer] }, mediaType);
  const named = { ...manifest, annotations: { "org.opencontainers.image.ref.name": "v1" } };
  writeFileSync(join(folder, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [named] }));
  writeFileSync(join(folder, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  return { manifest, config, layer: { ...layer, diffId } };
}

function librariesOf(program: string): string[] {
  return execFileSync("ldd", [program], { encoding: "utf8" }).match(/\/\S+(?= \()/g) ?? [];
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
