import { createHash } from "node:crypto";
import { closeSync, mkdirSync, openSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { numbers } from "./text.ts";

/**
 * Writes an OCI image layout (OCI image specification, image-layout.md) with layers of random bytes. They are no tars;
 * nothing here unpacks them.
 *
 * @param layers the size of each, in bytes
 * @returns the manifest's digest
 */
export function writeLayout(folder: string, layers: readonly number[], seed: number): string {
  const blobs = join(folder, "blobs/sha256");
  mkdirSync(blobs, { recursive: true });
  const put = (mediaType: string, bytes: Buffer) => {
    const digest = createHash("sha256").update(bytes).digest("hex");
    writeFileSync(join(blobs, digest), bytes);
    return { mediaType, digest: `sha256:${digest}`, size: bytes.length };
  };
  const next = numbers(seed);
  const descriptors = layers.map((size) => ({
    mediaType: mediaTypes.layer,
    digest: `sha256:${writeRandom(blobs, size, next)}`,
    size,
  }));
  const config = put(
    mediaTypes.config,
    Buffer.from(
      JSON.stringify({
        architecture: process.arch === "arm64" ? "arm64" : "amd64",
        os: "linux",
        config: { Cmd: ["true"] },
        rootfs: { type: "layers", diff_ids: descriptors.map(({ digest }) => digest) },
      }),
    ),
  );
  const manifest = put(
    mediaTypes.manifest,
    Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: descriptors })),
  );
  writeFileSync(join(folder, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [manifest] }));
  writeFileSync(join(folder, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  return manifest.digest;
}

/** Writes a blob of bytes that do not compress; a block differs from the one before by its first bytes alone. */
function writeRandom(folder: string, size: number, next: () => number): string {
  const block = Buffer.alloc(Math.min(size, 1 << 20));
  for (let at = 0; at + 4 <= block.length; at += 4) block.writeUInt32LE(next(), at);
  const temporary = join(folder, "unfinished");
  const file = openSync(temporary, "w");
  const hash = createHash("sha256");
  for (let written = 0; written < size; written += block.length) {
    block.writeUInt32LE(next(), 0);
    const part = block.subarray(0, Math.min(block.length, size - written));
    hash.update(part);
    writeSync(file, part);
  }
  closeSync(file);
  const digest = hash.digest("hex");
  renameSync(temporary, join(folder, digest));
  return digest;
}
