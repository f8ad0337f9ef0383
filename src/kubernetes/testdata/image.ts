import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { ownArchitecture } from "../../oci/descriptor.ts";
import { sha256 } from "../../oci/digest.ts";
import { mediaTypes } from "../../oci/media-types.ts";
import { openRegistry } from "../../registry/client/open.ts";
import { treeOf } from "../../containers/testdata/image.ts";

/** Where an image goes: the embedded registry of a test. */
interface Registry {
  readonly host: string;
  readonly paths: { readonly socket: string };
}

/**
 * Pushes an image made of files of this machine.
 *
 * @param files by path in the image; libraries they need come along
 * @param config of the image, as OCI has it
 * @param texts further files by path, with what they hold
 * @returns `HOST/REPOSITORY@sha256:…`
 */
export async function pushImage(
  { host, paths }: Registry,
  repository: string,
  files: Readonly<Record<string, string>>,
  config: object,
  texts: Readonly<Record<string, string>> = {},
): Promise<string> {
  const root = treeOf(files);
  for (const [path, text] of Object.entries(texts)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  mkdirSync(join(root, "slipway/input"), { recursive: true });
  const tar = execFileSync("tar", ["-C", root, "--owner=0", "--group=0", "--mode=a+rX", "--mtime=@0", "-c", "."], {
    maxBuffer: 512 * 1024 * 1024,
  });
  rmSync(root, { recursive: true });
  const layer = gzipSync(tar, { level: 1 });
  const configBytes = Buffer.from(
    JSON.stringify({ architecture: ownArchitecture(), os: "linux", config, rootfs: { type: "layers", diff_ids: [sha256(tar)] } }),
  );
  const describe = (bytes: Buffer, mediaType: string) => ({ mediaType, digest: sha256(bytes), size: bytes.length });
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: describe(configBytes, mediaTypes.config),
    layers: [describe(layer, mediaTypes.layerGzip)],
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const client = openRegistry(host, { embedded: { socketPath: paths.socket } });
  for (const blob of [configBytes, layer]) {
    const open = (start: number, end: number) => Readable.from([blob.subarray(start, end)]);
    await client.pushBlob({ repository, descriptor: { digest: sha256(blob), size: blob.length }, open });
  }
  const digest = await client.putManifest(repository, sha256(bytes), bytes, mediaTypes.manifest);
  client.close();
  return `${host}/${repository}@${digest}`;
}

/** An image with a shell and its tools alone, in which the user 1000 runs `/bin/sh -c ARGUMENT`. */
export function pushShell(registry: Registry, user = "1000:1000"): Promise<string> {
  return pushImage(registry, "test/shell", { "bin/busybox": "/bin/busybox", "bin/sh": "/bin/busybox" }, {
    User: user,
    Entrypoint: ["/bin/sh", "-c"],
    Env: ["PATH=/bin"],
  });
}

/** As {@link pushShell}, and no node has it. */
export function pushNew(registry: Registry): Promise<string> {
  return pushImage(
    registry,
    "test/new",
    { "bin/busybox": "/bin/busybox", "bin/sh": "/bin/busybox" },
    { User: "1000:1000", Entrypoint: ["/bin/sh", "-c"], Env: ["PATH=/bin"] },
    { "etc/random": randomBytes(50_000).toString("hex") },
  );
}
