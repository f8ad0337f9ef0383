import { randomFillSync } from "node:crypto";
import { globSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ImageManifest } from "../../../src/oci/manifest.ts";
import type { BenchContext } from "../context.ts";
import { type Contestant, interleave, type Result, resultOf, run } from "../measure.ts";
import { startPeerRegistry } from "../registries.ts";
import { moduleOf, Workspace } from "../workspace.ts";

/** Bytes of two layers, which no compression makes smaller. */
const dataBytes = 64_000_000;
const lineBytes = 4_000_000;

/** MiB. */
const mostMemory = 120;

/** Bytes besides layers: Slipway's tools are in the release, so only metadata comes from the cache. */
const mostMetadata = 300_000;

const layerMebibytes = Math.ceil((dataBytes + lineBytes) / 2 ** 20);

/** Has the launcher say its peak memory. */
const memoryFlag =
  "--import=data:text/javascript,process.on(`exit`,()=>process.stderr.write(`maxrss:`.concat(process.resourceUsage().maxRSS,`\\n`)))";

/**
 * Pushes of an image that a build farm has built, with the setting `remote_cache`. The floor is the same without the
 * setting: all layers in the run
 * target's runfiles.
 */
export async function* farmCases(context: BenchContext): AsyncGenerator<Result> {
  const tools = join(context.repository, "tools/testing/farm");
  const folder = join(context.scratch, "build-farm");
  const workspace = new Workspace(context.repository, context.scratch, "farm");
  workspace.write({
    "MODULE.bazel": moduleOf(context.release),
    "app/BUILD.bazel": `
load("@slipway//bazel:defs.bzl", "image", "image_layer", "image_push")

image_layer(name = "data_layer", files = {"/data": "data"})
image_layer(name = "line_layer", files = {"/line": "line"})
image(name = "data_image", layers = [":data_layer", ":line_layer"])
image_push(name = "push", images = [":data_image"])
`,
  });
  for (const [name, bytes] of Object.entries({ data: dataBytes, line: lineBytes })) {
    writeFileSync(join(workspace.folder, "app", name), randomFillSync(Buffer.alloc(bytes)));
  }
  const [address = ""] = run([join(tools, "start"), folder]).split("\n");
  try {
    yield* casesOn(context, workspace, address, join(folder, "requests.log"));
  } finally {
    workspace.stop();
    run([join(tools, "stop"), folder]);
  }
}

async function* casesOn(
  context: BenchContext,
  workspace: Workspace,
  address: string,
  log: string,
): AsyncGenerator<Result> {
  const options: Record<string, string[]> = {
    ours: [`--@slipway//bazel/settings:remote_cache=${address}`],
    floor: [],
  };
  const bazel = (command: string, name: string, ...more: string[]) =>
    workspace.bazel(
      ...[command, `--remote_executor=${address}`, "--remote_default_exec_properties=OSFamily=linux"],
      ...[...(options[name] ?? []), ...more, "//app:push"],
    );
  const freshCheckout = () => {
    workspace.bazel("clean");
    workspace.bazel("shutdown");
  };
  const pushHere = (name: string) =>
    void bazel("run", name, `--@slipway//bazel/settings:registry=${context.registry.host}`);
  const transfers: Record<string, Transfers> = {};
  /** With and without the setting. Remembers what moved in the last round. */
  const both = (contestant: (name: string) => Contestant) =>
    Object.fromEntries(
      Object.keys(options).map((name) => {
        const { prepare, run: work } = contestant(name);
        const counted = async (round: number) => {
          writeFileSync(log, "");
          await work(round);
          transfers[name] = transfersIn(log, layersOf(workspace));
        };
        return [name, { ...(prepare ? { prepare } : {}), run: counted }];
      }),
    );
  const countsOf = (name: string, label = "") => ({
    [`${label}bytes_here`]: transfers[name]?.bytesHere ?? 0,
    [`${label}layer_bytes_here`]: transfers[name]?.layerBytesHere ?? 0,
    [`${label}layer_bytes_through_memory`]: transfers[name]?.layerBytesThrough ?? 0,
  });
  const counts = (more: Record<string, number> = {}) => ({
    ...countsOf("ours"),
    ...countsOf("floor", "without_setting_"),
    ...more,
  });

  context.tell("a fresh checkout, a warm farm, and a registry that has everything");
  pushHere("ours");
  const unchanged = await interleave(
    both((name) => ({ prepare: freshCheckout, run: () => pushHere(name) })),
    context.rounds,
  );
  const { ours = none } = transfers;
  yield resultOf(
    "farm_nothing_changed",
    unchanged,
    `no byte of a layer and at most ${mostMetadata / 1000} KB in all from the cache, no slower than without the setting`,
    (time, floor) =>
      ours.layerBytesHere + ours.layerBytesThrough === 0 && ours.bytesHere <= mostMetadata && time <= floor,
    counts(),
  );

  context.tell("the same, and an empty registry");
  const peaks: Record<string, number[]> = { ours: [], floor: [] };
  const diskBytes: Record<string, number> = {};
  let registries = 0;
  let registry = await startPeerRegistry(join(context.scratch, "empty-registry"));
  try {
    const empty = await interleave(
      both((name) => ({
        prepare: async () => {
          await registry.stop();
          registry = await startPeerRegistry(join(context.scratch, `empty-registry-${registries++}`));
          freshCheckout();
        },
        run: () => {
          bazel("build", name);
          const words = [join(workspace.folder, "bazel-bin/app/push"), "--registry", registry.host];
          const env = { ...workspace.env, NODE_OPTIONS: memoryFlag };
          // The launcher's messages are on standard error.
          const said = run(["sh", "-c", '"$@" 2>&1', "sh", ...words], { env });
          peaks[name]?.push(Number(/maxrss:(\d+)/.exec(said)?.[1]) / 1024);
          diskBytes[name] = layerBytesOnDisk(workspace);
        },
      })),
      context.rounds,
    );
    const { ours: moved = none } = transfers;
    const peak = Math.round(Math.max(...(peaks["ours"] ?? [])));
    const size = layerBytes(workspace);
    yield resultOf(
      "farm_empty_registry",
      empty,
      `each layer once, nothing of it on the disk, at most ${mostMemory} MiB of memory for ${layerMebibytes} MiB of layers`,
      () => moved.layerBytesThrough === size && diskBytes["ours"] === 0 && peak <= mostMemory,
      counts({
        layer_bytes: size,
        peak_mib: peak,
        without_setting_peak_mib: Math.round(Math.max(...(peaks["floor"] ?? []))),
        disk_bytes: diskBytes["ours"] ?? 0,
        without_setting_disk_bytes: diskBytes["floor"] ?? 0,
      }),
    );
  } finally {
    await registry.stop();
  }

  context.tell("one line edited");
  let changed = 0;
  const edited = await interleave(
    both((name) => ({
      prepare: () => {
        pushHere(name);
        const line = readFileSync(join(workspace.folder, "app/line"));
        line.write(`line ${changed++}\n`);
        writeFileSync(join(workspace.folder, "app/line"), line);
      },
      run: () => pushHere(name),
    })),
    context.rounds,
  );
  const { ours: moved = none } = transfers;
  yield resultOf(
    "farm_one_line_edited",
    edited,
    "only the changed layer, from the worker through this machine's memory to the registry",
    () => moved.layerBytesHere === 0 && moved.layerBytesThrough > 0 && moved.layerBytesThrough < 1.1 * lineBytes,
    counts({ layer_bytes_from_worker: moved.layerBytesFromWorker }),
  );
}

/** Bytes that the farm gave and took. */
interface Transfers {
  /** To Bazel, layers among them. */
  readonly bytesHere: number;
  readonly layerBytesHere: number;
  /** To Slipway, which streams them to the registry. */
  readonly layerBytesThrough: number;
  readonly layerBytesFromWorker: number;
}

const none: Transfers = { bytesHere: 0, layerBytesHere: 0, layerBytesThrough: 0, layerBytesFromWorker: 0 };

function transfersIn(log: string, layers: ReadonlyMap<string, number>): Transfers {
  const total: Record<keyof Transfers, number> = { ...none };
  for (const line of readFileSync(log, "utf8").split("\n").slice(0, -1)) {
    const [who, verb, digest = "", bytes] = line.split(" ");
    const count = Number(bytes);
    if (who === "bazel" && verb === "get") total.bytesHere += count;
    if (!layers.has(digest)) continue;
    if (who === "bazel" && verb === "get") total.layerBytesHere += count;
    if (who === "slipway" && verb === "get") total.layerBytesThrough += count;
    if (who === "worker" && verb === "put") total.layerBytesFromWorker += count;
  }
  return total;
}

/** The image's layers: digests in hexadecimal, and bytes. */
function layersOf(workspace: Workspace): Map<string, number> {
  const text = readFileSync(join(workspace.folder, "bazel-bin/app/data_image_manifest.manifest.json"), "utf8");
  const { layers } = JSON.parse(text) as ImageManifest;
  return new Map(layers.map(({ digest, size }) => [digest.replace("sha256:", ""), size]));
}

const layerBytes = (workspace: Workspace) => [...layersOf(workspace).values()].reduce((sum, size) => sum + size, 0);

/** Bytes of layers among Bazel's outputs. */
function layerBytesOnDisk({ outputBase }: Workspace): number {
  const files = globSync("execroot/_main/bazel-out/*/bin/app/*_layer.tar.*", { cwd: outputBase });
  return files.reduce((sum, file) => sum + statSync(join(outputBase, file)).size, 0);
}
