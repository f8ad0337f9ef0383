import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ImageManifest } from "../../src/oci/manifest.ts";
import { writeProbe } from "../e2e/probe.ts";
import { type Finished, Workspace } from "../e2e/workspace.ts";
import { Farm } from "./farm.ts";

const workspace = new Workspace("farm");
const farm = await Farm.start();
const setting = `--@slipway//bazel/settings:remote_cache=${farm.address}`;

afterAll(() => farm.stop());

const build = (...options: string[]): Promise<Finished> => {
  const executor = [`--remote_executor=${farm.address}`, "--remote_default_exec_properties=OSFamily=linux"];
  return workspace.bazel(["build", ...executor, ...options, "//probe:probe"]);
};

/** The blobs that Bazel gets while `action` runs. */
async function arrivingDuring(action: () => Promise<unknown>): Promise<readonly string[]> {
  const transfers = await farm.transfersDuring(action);
  return transfers.filter(({ who, verb }) => who === "bazel" && verb === "get").map(({ digest }) => digest);
}

/** The digests of the layers in the image that was built last. */
function layers(): string[] {
  const manifest = join(workspace.folder, "bazel-bin/probe/probe_default_image_manifest.manifest.json");
  const { layers: all } = JSON.parse(readFileSync(manifest, "utf8")) as ImageManifest;
  return all.map(({ digest }) => digest.replace("sha256:", ""));
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

describe("with the layers in a farm", () => {
  beforeAll(async () => {
    writeProbe(workspace);
    await freshCheckout();
    expect((await build(setting)).stderr).toContain("completed successfully");
  });

  it("no layer arrives in a fresh checkout, and all of them without the setting", async () => {
    await freshCheckout();
    const arriving = await arrivingDuring(() => build(setting));
    const all = layers();
    expect(all).toHaveLength(2);
    expect(layersHere()).toEqual([]);
    expect(all.filter((digest) => arriving.includes(digest))).toEqual([]);

    await freshCheckout();
    const before = await arrivingDuring(() => build());
    expect(layersHere()).toEqual(["node_layer.tar.gz", "probe_layers.first_party.tar.gz"]);
    expect(all.filter((digest) => before.includes(digest))).toEqual(all);
  });

  it("the output group `layers` brings back a layer that the cache has evicted", async () => {
    await freshCheckout();
    await build(setting);
    const [, firstParty = ""] = layers();
    farm.evict(firstParty);
    const command = [setting, "--output_groups=+layers"];
    // A running server learns by the first attempt that the layer is lost.
    const first = await build(...command);
    if (first.status !== 0) expect(first.stderr).toContain("Missing digest");
    const second = await build(...command);
    expect(second.status, second.stderr).toBe(0);
    expect(layersHere()).toEqual(["node_layer.tar.gz", "probe_layers.first_party.tar.gz"]);
  });
});
