import { globSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { printed } from "../../src/core/testdata/reported.ts";
import type { ImageManifest } from "../../src/oci/manifest.ts";
import { FakeRegistry } from "../../src/registry/client/testdata/fake-registry.ts";
import { HttpCache } from "../docs/http-cache.ts";
import { editProbe, writeProbe } from "../e2e/probe.ts";
import { type Finished, scratchFolder, Workspace } from "../e2e/workspace.ts";
import { Farm, type Transfer } from "./farm.ts";

const target = "//probe:probe";
const workspace = new Workspace("farm");
const farm = await Farm.start();
const http = new HttpCache();
const address = await http.start();
const disk = join(scratchFolder(), "disk");

afterAll(async () => {
  http.stop();
  await farm.stop();
});

interface Cache {
  /** Bazel's options. */
  readonly options: readonly string[];
  /** The value of `remote_cache`. */
  readonly setting: string;
  /** The blobs that Bazel or Slipway gets while `action` runs, where the cache can tell. */
  arrivingDuring(action: () => Promise<unknown>, who?: Transfer["who"]): Promise<readonly string[] | undefined>;
  evict(digest: string): void;
}

const caches: Record<string, Cache> = {
  farm: {
    options: [`--remote_executor=${farm.address}`, "--remote_default_exec_properties=OSFamily=linux"],
    setting: farm.address,
    async arrivingDuring(action, by = "bazel") {
      const transfers = await farm.transfersDuring(action);
      return transfers.filter(({ who, verb }) => who === by && verb === "get").map(({ digest }) => digest);
    },
    evict: (digest) => farm.evict(digest),
  },
  "HTTP cache": {
    options: [`--remote_cache=${address}`],
    setting: address,
    async arrivingDuring(action) {
      http.log.length = 0;
      await action();
      return http.log.map((path) => path.replace("cas/", ""));
    },
    evict: (digest) => http.evict(digest),
  },
  "disk cache": {
    options: [`--disk_cache=${disk}`],
    setting: disk,
    async arrivingDuring(action) {
      await action();
      return undefined;
    },
    evict: (digest) => rmSync(join(disk, "cas", digest.slice(0, 2), digest)),
  },
};

const setting = ({ setting: value }: Cache) => `--@slipway//bazel/settings:remote_cache=${value}`;

/** The digests of the layers in the image that was built last. */
function layers(): string[] {
  const text = readFileSync(
    join(workspace.folder, "bazel-bin/probe/probe_default_image_manifest.manifest.json"),
    "utf8",
  );
  return (JSON.parse(text) as ImageManifest).layers.map(({ digest }) => digest.replace("sha256:", ""));
}

/** The layers among Bazel's outputs, by file name. */
const layersHere = () =>
  globSync("execroot/_main/bazel-out/*/bin/**/*.tar.gz", { cwd: workspace.outputBase, exclude: ["**/*.runfiles/**"] })
    .map((file) => file.replace(/.*\//, ""))
    .sort();

/** As in a fresh checkout: nothing is built, and Bazel's server knows nothing. */
async function freshCheckout(): Promise<void> {
  await workspace.stdout(["clean"]);
  await workspace.stdout(["shutdown"]);
}

/** `bazel run` of the push target. */
const push = (cache: Cache, registry: string): Promise<Finished> =>
  workspace.bazel(["run", ...cache.options, setting(cache), `${target}_push`], { env: { SLIPWAY_REGISTRY: registry } });

beforeAll(() => writeProbe(workspace));

describe.each(Object.keys(caches))("with the layers in a %s", (name) => {
  const cache = caches[name] as Cache;
  const build = (...options: string[]): Promise<Finished> =>
    workspace.bazel(["build", ...cache.options, ...options, target]);

  beforeAll(async () => {
    await freshCheckout();
    expect((await build(setting(cache))).stderr).toContain("completed successfully");
  });

  it("no layer arrives in a fresh checkout, and all of them without the setting", async () => {
    await freshCheckout();
    const arriving = await cache.arrivingDuring(() => build(setting(cache)));
    const all = layers();
    expect(all).toHaveLength(2);
    expect(layersHere()).toEqual([]);
    if (arriving) expect(all.filter((digest) => arriving.includes(digest))).toEqual([]);

    await freshCheckout();
    const before = await cache.arrivingDuring(() => build());
    expect(layersHere()).toEqual(["node_layer.tar.gz", "probe_layers.first_party.tar.gz"]);
    if (before) expect(all.filter((digest) => before.includes(digest))).toEqual(all);
  });

  it("a push streams each layer once to a registry that lacks it, and none to one that has it", async () => {
    await freshCheckout();
    // Bazel's part, without what Slipway does.
    await build(setting(cache), `${target}_push`);
    const registry = await FakeRegistry.start();
    try {
      const first = await cache.arrivingDuring(() => push(cache, registry.host), "slipway");
      const all = layers();
      if (first) expect(first.filter((digest) => all.includes(digest)).sort()).toEqual([...all].sort());
      const stored = [...registry.blobs.keys()].map((key) => key.replace(/.*sha256:/, ""));
      expect(stored).toEqual(expect.arrayContaining(all));
      expect(layersHere()).toEqual([]);
      const again = await cache.arrivingDuring(() => push(cache, registry.host), "slipway");
      if (again) expect(again.filter((digest) => all.includes(digest))).toEqual([]);
    } finally {
      await registry.stop();
    }
  });

  it("the output group `layers` brings back a layer that the cache has evicted", async () => {
    await freshCheckout();
    await build(setting(cache), `${target}_push`);
    const [, firstParty = ""] = layers();
    cache.evict(firstParty);
    const registry = await FakeRegistry.start();
    try {
      const { status, stderr } = await push(cache, registry.host);
      expect(status, stderr).toBe(1);
      expect(stderr).toEqual(printed("push-incomplete"));
      expect(stderr.match(/sha256:\w+ .*\n.*\[layer-evicted\]/g)).toEqual(
        Array(2).fill(expect.stringContaining(firstParty)),
      );
      expect(stderr).toContain(`bazel build --output_groups=+layers ${target}_push`);
      expect([registry.blobs.size, registry.manifests.size]).toEqual([0, 0]);
    } finally {
      await registry.stop();
    }
    const command = [setting(cache), "--output_groups=+layers"];
    // A running server learns by the first attempt that the layer is lost.
    const first = await build(...command);
    if (first.status !== 0) expect(first.stderr).toMatch(/[Mm]issing digest|lost inputs|CacheNotFound/);
    const second = await build(...command);
    expect(second.status, second.stderr).toBe(0);
    expect(layersHere()).toEqual(["node_layer.tar.gz", "probe_layers.first_party.tar.gz"]);
  });
});

it("after an edit, the farm builds the changed layer, and nothing of it arrives here", async () => {
  const cache = caches["farm"] as Cache;
  const options = [...cache.options, setting(cache)];
  await freshCheckout();
  await workspace.stdout(["build", ...options, target]);
  const before = layers();
  editProbe(workspace, "two");
  const transfers = await farm.transfersDuring(() => workspace.stdout(["build", ...options, target]));
  writeProbe(workspace);
  const [changed = "", ...others] = layers().filter((digest) => !before.includes(digest));
  expect(others).toEqual([]);
  const moved = transfers.filter(({ digest }) => layers().includes(digest));
  expect(moved.map(({ who, verb, digest }) => [who, verb, digest])).toEqual([["worker", "put", changed]]);
});

it("builds of every kind have the same digests", async () => {
  const { options } = caches["farm"] as Cache;
  const kinds: Record<string, readonly [options: readonly string[], processes: RegExp]> = {
    local: [["--spawn_strategy=local"], /\d+ local/],
    sandboxed: [["--spawn_strategy=sandboxed"], /\d+ (linux|darwin)-sandbox/],
    worker: [[], /\d+ worker/],
    farm: [[...options, "--noremote_accept_cached"], /\d+ remote[,.]/],
    cached: [options, /\d+ remote cache hit/],
  };
  const digests: Record<string, string> = {};
  for (const [kind, [flags, processes]] of Object.entries(kinds)) {
    await workspace.stdout(["clean"]);
    const { stderr } = await workspace.bazel([
      "build",
      ...flags,
      "--output_groups=digest",
      "//probe:probe_default_image",
    ]);
    expect(stderr).toMatch(processes);
    digests[kind] = readFileSync(join(workspace.folder, "bazel-bin/probe/probe_default_image.digest"), "utf8");
  }
  expect(digests).toEqual(Object.fromEntries(Object.keys(kinds).map((kind) => [kind, digests["local"]])));
});
