import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { onTestFinished } from "vitest";
import { type Digest, sha256 } from "../../oci/digest.ts";
import { canonicalJson } from "../../oci/json.ts";
import { formatLayerMetadata } from "../../oci/layer.ts";
import { mediaTypes } from "../../oci/media-types.ts";
import type { LaunchRequest, RequestedImage } from "../request.ts";

/** What gzip begins with (RFC 1952, 2.3.1); random bytes begin with one byte of it now and then. */
const gzipStart = Buffer.from([0x1f, 0x8b, 8]);

const launcher = join(import.meta.dirname, "..", "main.ts");

export interface Ended {
  readonly status: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run target as the build leaves it: runfiles and a request. Gone when the test ends. */
export class Target {
  readonly folder = mkdtempSync(join(tmpdir(), "slipway-target-"));
  readonly runfiles = join(this.folder, "t.runfiles");
  readonly env: Record<string, string> = {
    PATH: process.env["PATH"] ?? "",
    HOME: this.folder,
    SLIPWAY_RUNFILES: this.runfiles,
  };
  readonly request: { -readonly [Key in keyof LaunchRequest]: LaunchRequest[Key] };
  readonly images: RequestedImage[] = [];

  constructor(mode: LaunchRequest["mode"], program = "#!/bin/sh\n") {
    this.request = {
      mode,
      target: "//pkg:t",
      program: "_main/pkg/program",
      runOptions: [],
      imageEnv: [],
      registryServer: "_main/registry.mjs",
      defaultRegistry: "",
      buildStatus: [],
      images: this.images,
    };
    this.file("_main/pkg/program", program);
    chmodSync(join(this.runfiles, "_main/pkg/program"), 0o755);
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 }));
  }

  file(path: string, content: string | Uint8Array): string {
    const whole = join(this.runfiles, path);
    mkdirSync(dirname(whole), { recursive: true });
    writeFileSync(whole, content);
    return path;
  }

  /**
   * Adds an image of the given layers, packed by gzip or anything else. A layer without content is one of a base
   * that is not on this machine.
   */
  image(options: Partial<RequestedImage> & { layers: (string | Uint8Array | { bytes: Uint8Array })[] }): Digest {
    const { layers, ...rest } = options;
    const tag = rest.tag ?? "default";
    const described = layers.map((layer, index) => {
      const bytes = typeof layer === "string" ? Buffer.from(layer) : "bytes" in layer ? layer.bytes : layer;
      const metadata = {
        mediaType: mediaTypes.layerGzip,
        digest: sha256(bytes),
        size: bytes.length,
        diffId: sha256(gzipStart.equals(bytes.subarray(0, 3)) ? gunzipSync(bytes) : bytes),
      };
      const name = `_main/pkg/${tag}${index}`;
      this.file(`${name}.layer.json`, formatLayerMetadata(metadata));
      const isRemote = typeof layer === "object" && "bytes" in layer;
      const blob = isRemote ? {} : { blob: this.file(`${name}.tar.gz`, bytes) };
      return { metadata, requested: { metadata: `${name}.layer.json`, ...blob } };
    });
    const config = canonicalJson({
      os: "linux",
      architecture: "amd64",
      rootfs: { type: "layers", diff_ids: described.map(({ metadata }) => metadata.diffId) },
    });
    const manifest = canonicalJson({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: { mediaType: mediaTypes.config, digest: sha256(config), size: config.length },
      layers: described.map(({ metadata: { mediaType, digest, size } }) => ({ mediaType, digest, size })),
    });
    const descriptor = { mediaType: mediaTypes.manifest, digest: sha256(manifest), size: manifest.length };
    this.images.push({
      tag,
      registry: "",
      repository: "team/app",
      remoteTags: [`t_${tag}`],
      descriptor: this.file(`_main/pkg/${tag}.descriptor.json`, canonicalJson(descriptor)),
      manifest: this.file(`_main/pkg/${tag}.manifest.json`, manifest),
      config: this.file(`_main/pkg/${tag}.config.json`, config),
      children: [],
      blobs: described.map(({ requested }) => requested),
      layouts: [],
      sources: [],
      ...rest,
    });
    return descriptor.digest;
  }

  /** Makes one image for several platforms of those that were added, which have the tags of processors (`amd64`). */
  index(tag = "default"): Digest {
    const children = this.images.splice(0);
    const manifests = children.map((child) => {
      const descriptor = JSON.parse(readFileSync(join(this.runfiles, child.descriptor), "utf8"));
      const whole = { ...descriptor, platform: { os: "linux", architecture: child.tag } };
      this.file(child.descriptor, canonicalJson(whole));
      return whole;
    });
    const index = canonicalJson({ schemaVersion: 2, mediaType: mediaTypes.index, manifests });
    const descriptor = { mediaType: mediaTypes.index, digest: sha256(index), size: index.length };
    this.images.push({
      ...(children[0] as RequestedImage),
      tag,
      remoteTags: [`t_${tag}`],
      descriptor: this.file(`_main/pkg/${tag}.descriptor.json`, canonicalJson(descriptor)),
      manifest: this.file(`_main/pkg/${tag}.index.json`, index),
      config: "",
      children,
      blobs: [],
    });
    return descriptor.digest;
  }

  /** The command that the script of a run target becomes. */
  command(args: readonly string[] = []): [string, ...string[]] {
    const path = join(this.folder, "request.json");
    writeFileSync(path, JSON.stringify({ version: 1, ...this.request }));
    return [process.execPath, "--disable-warning=ExperimentalWarning", launcher, path, ...args];
  }

  start(args: readonly string[] = [], env: Record<string, string> = {}): ChildProcess {
    const [node, ...rest] = this.command(args);
    const child = spawn(node, rest, { env: { ...this.env, ...env }, cwd: this.runfiles });
    onTestFinished(() => void child.kill("SIGKILL"));
    return child;
  }

  async run(args: readonly string[] = [], env: Record<string, string> = {}, stdin = ""): Promise<Ended> {
    const child = this.start(args, env);
    child.stdin?.on("error", () => {}).end(stdin);
    return ended(child);
  }
}

export async function ended(child: ChildProcess): Promise<Ended> {
  const close = once(child, "close");
  const [stdout, stderr] = await Promise.all([text(child.stdout as never), text(child.stderr as never)]);
  const [code, signal] = await close;
  return { status: code ?? signal, stdout, stderr };
}
