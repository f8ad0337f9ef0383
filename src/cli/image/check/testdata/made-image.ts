import { gzipSync } from "node:zlib";
import type { TarEntry } from "../../../../layer/entry.ts";
import { blockSize, header, paddingOf } from "../../../../layer/header.ts";
import type { ExecutionConfig } from "../../../../oci/config.ts";
import { sha256 } from "../../../../oci/digest.ts";
import type { FakeRegistry } from "../../../../registry/client/testdata/fake-registry.ts";
import { StoredImages } from "../../../../registry/client/testdata/stored-images.ts";

type Entry = TarEntry & { readonly text?: string | Buffer };

/** A program of ELF for a processor (`e_machine`), which names a loader. */
export function elf(machine = 62, loader = "/lib64/ld-linux-x86-64.so.2"): Buffer {
  const bytes = Buffer.alloc(400);
  bytes.write("\x7fELF\x02\x01\x01", "latin1");
  bytes.writeUInt16LE(3, 16);
  bytes.writeUInt16LE(machine, 18);
  bytes.writeBigUInt64LE(64n, 32);
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(2, 56);
  bytes.writeUInt32LE(1, 64);
  bytes.writeUInt32LE(3, 120);
  bytes.writeBigUInt64LE(200n, 128);
  bytes.write(`${loader}\0`, 200);
  return bytes;
}

export const file = (path: string, text: string | Buffer, mode = 0o644): Entry => ({
  type: "file",
  path,
  mode,
  text,
  content: { bytes: Buffer.from(text) },
});
export const link = (path: string, target: string): Entry => ({ type: "symlink", path, target });
export const hardlink = (path: string, target: string): Entry => ({ type: "hardlink", path, target });
export const folder = (path: string, mode = 0o755, owner = 0): Entry => ({
  type: "directory",
  path,
  mode,
  uid: owner,
  gid: owner,
});
/** Takes away what a lower layer has there. */
export const whiteout = (path: string): Entry => file(path.replace(/([^/]+)$/, ".wh.$1"), "");

/** The tar of a layer. */
export function tarOf(entries: readonly Entry[]): Buffer {
  const parts = entries.flatMap((entry) => {
    const bytes = Buffer.from(entry.text ?? "");
    return [header(entry, bytes.length), bytes, Buffer.alloc(paddingOf(bytes.length))];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * blockSize)]);
}

export const python = "usr/local/lib/python3.11/dist-packages";

/** An image that meets every requirement there is; tests change it before it is pushed. */
export class MadeImage {
  readonly layers: Entry[][] = [
    [
      ...["bin", "lib", "lib64"].map((name) => link(name, `usr/${name}`)),
      file("usr/bin/dash", elf(), 0o755),
      link("usr/bin/sh", "dash"),
      file("usr/lib/x86_64-linux-gnu/ld.so", "loader", 0o755),
      link("usr/lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/ld.so"),
      file("usr/bin/python3.11", elf(), 0o755),
      link("usr/bin/python3", "python3.11"),
      file("usr/lib/python3.11/encodings/__init__.py", ""),
      file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nworker:x:1000:1000::/home/worker:/bin/sh\n"),
      file("etc/group", "root:x:0:\nworker:x:1000:\nteam:x:50:worker\n"),
      folder("tmp", 0o1777),
      folder("home/worker", 0o755, 1000),
    ],
    [
      file(`${python}/sematic/resolvers/worker.py`, ""),
      folder("sematic/bin", 0o755, 1000),
      file("entrypoint.sh", '#!/bin/sh -e\n# worker\nexec /usr/bin/python3 -m sematic.resolvers.worker "$@"\n', 0o755),
      file("code/team/pipeline.py", ""),
      folder("app/main.runfiles"),
    ],
  ];
  readonly config: { -readonly [Key in keyof ExecutionConfig]: ExecutionConfig[Key] } = {
    User: "worker",
    Entrypoint: ["/entrypoint.sh"],
    WorkingDir: "/code",
    Env: ["PATH=/sematic/bin:/usr/bin:/bin", "RUNFILES_DIR=/app/main.runfiles"],
  };
  platform = "linux/amd64";
  /** Over the digests of the layers' tars. */
  diffIds: (string | undefined)[] = [];
  /** Over the layers' blobs. */
  blobs: (Buffer | undefined)[] = [];
  /** Layers that are not pushed. */
  readonly absent: number[] = [];

  /** Adds entries to the uppermost layer, in place of those with the same path. */
  with(...entries: Entry[]): this {
    const top = this.layers.at(-1) as Entry[];
    for (const entry of entries) {
      const at = top.findIndex(({ path }) => path === entry.path);
      if (at < 0) top.push(entry);
      else top[at] = entry;
    }
    return this;
  }

  /** Adds a layer. */
  above(...entries: Entry[]): this {
    this.layers.push(entries);
    return this;
  }

  variable(name: string, value: string | undefined): this {
    const others = (this.config.Env ?? []).filter((entry) => !entry.startsWith(`${name}=`));
    this.config.Env = value === undefined ? others : [...others, `${name}=${value}`];
    return this;
  }

  /** Pushes it as `team/app:v1`. */
  push(registry: FakeRegistry): string {
    const stored = new StoredImages(registry, "team/app");
    const tars = this.layers.map(tarOf);
    const layers = tars.map((tar, index) => {
      const blob = stored.blob(this.blobs[index] ?? gzipSync(tar));
      if (this.absent.includes(index)) {
        for (const key of registry.blobs.keys()) if (key.includes(blob.digest)) registry.blobs.delete(key);
      }
      return { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", ...blob };
    });
    const diff_ids = tars.map((tar, index) => this.diffIds[index] ?? sha256(tar));
    stored.image({
      tag: "v1",
      platform: this.platform,
      config: { config: this.config, rootfs: { type: "layers", diff_ids } },
      manifest: { layers },
    });
    return `${registry.host}/team/app:v1`;
  }
}
