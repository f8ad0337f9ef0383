import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ownArchitecture } from "../../../src/oci/descriptor.ts";
import { type Digest, sha256 } from "../../../src/oci/digest.ts";
import { mediaTypes } from "../../../src/oci/media-types.ts";

/** An image in bytes. */
export interface SmallImage {
  readonly digest: Digest;
  readonly manifest: Buffer;
  /** Configuration and layer. */
  readonly blobs: readonly Buffer[];
}

/**
 * A shell with the usual commands, for `sh -c SCRIPT`, whose user is no administrator.
 *
 * @param config what its configuration says besides
 */
export function shellImage(config: object = {}): SmallImage {
  const fill = (root: string) => {
    mkdirSync(join(root, "bin"));
    copyFileSync("/bin/busybox", join(root, "bin/busybox"));
    for (const name of execFileSync("/bin/busybox", ["--list"], { encoding: "utf8" }).trim().split("\n")) {
      if (name !== "busybox") symlinkSync("busybox", join(root, "bin", name));
    }
  };
  return imageOf(layerOf(fill), config);
}

/**
 * Images with the Node that runs this test, for `node -e SCRIPT`, with one layer in common.
 *
 * @param configs what the configuration of each says besides
 */
export function nodeImages(...configs: readonly object[]): SmallImage[] {
  const layer = layerOf((root) => {
    const put = (path: string, source: string) => {
      mkdirSync(join(root, dirname(path)), { recursive: true });
      copyFileSync(source, join(root, path));
    };
    put("bin/node", process.execPath);
    const libraries = execFileSync("ldd", [process.execPath], { encoding: "utf8" }).match(/\/\S+(?= \()/g) ?? [];
    for (const library of libraries) put(library, library);
  });
  return configs.map((config) => imageOf(layer, config));
}

/** @param fill writes the files of the layer into a folder */
function layerOf(fill: (root: string) => void): Buffer {
  const root = mkdtempSync(join(tmpdir(), "slipway-image-"));
  fill(root);
  const layer = execFileSync("tar", ["-C", root, "-c", "--owner=0", "--group=0", "--mtime=@0", "--sort=name", "."], {
    maxBuffer: 512 * 1024 * 1024,
  });
  rmSync(root, { recursive: true });
  return layer;
}

function imageOf(layer: Buffer, config: object): SmallImage {
  const configuration = Buffer.from(
    JSON.stringify({
      architecture: ownArchitecture(),
      os: "linux",
      config: { User: "1000:1000", Env: ["PATH=/bin"], ...config },
      rootfs: { type: "layers", diff_ids: [sha256(layer)] },
    }),
  );
  const part = (mediaType: string, content: Buffer) => ({
    mediaType,
    digest: sha256(content),
    size: content.length,
  });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: part(mediaTypes.config, configuration),
      layers: [part("application/vnd.oci.image.layer.v1.tar", layer)],
    }),
  );
  return { digest: sha256(manifest), manifest, blobs: [configuration, layer] };
}
