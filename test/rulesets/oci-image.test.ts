import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sha256 } from "../../src/oci/digest.ts";
import { FakeRegistry } from "../../src/registry/client/testdata/fake-registry.ts";

interface Descriptor {
  digest: string;
  size: number;
}
interface Manifest {
  config: Descriptor;
  layers: Descriptor[];
  manifests?: Descriptor[];
}

/** An OCI layout among the data of this test. */
class Layout {
  readonly folder: string;
  constructor(name: string) {
    this.folder = join(import.meta.dirname, name);
  }
  blob({ digest }: Descriptor): Buffer {
    return readFileSync(join(this.folder, "blobs", digest.replace(":", "/")));
  }
  get top(): Descriptor {
    const { manifests } = JSON.parse(readFileSync(join(this.folder, "index.json"), "utf8")) as Manifest;
    expect(manifests).toHaveLength(1);
    return manifests?.[0] as Descriptor;
  }
  get image(): Manifest {
    const manifest = this.#manifest(this.top);
    return manifest.manifests ? this.#manifest(manifest.manifests[0] as Descriptor) : manifest;
  }
  get config(): { config: { Env: string[] }; rootfs: { diff_ids: string[] } } {
    return JSON.parse(this.blob(this.image.config).toString());
  }
  #manifest(descriptor: Descriptor): Manifest {
    return JSON.parse(this.blob(descriptor).toString()) as Manifest;
  }
}

const [theirs, theirIndex] = [new Layout("theirs"), new Layout("their_index")];

describe("an image in the shape of oci_image", () => {
  it.each(["on_theirs", "on_their_index"])("is a base like any other: %s", (name) => {
    const image = new Layout(`${name}.layout`);
    expect(image.config.config.Env).toEqual(["OURS=below", "TEAM=harbour"]);
    expect(image.image.layers).toHaveLength(3);
    expect(image.image.layers.slice(0, 2)).toEqual(theirs.image.layers);
    expect(image.config.rootfs.diff_ids.slice(0, 2)).toEqual(theirs.config.rootfs.diff_ids);
  });

  it.each([
    ["whole_theirs", theirs],
    ["whole_their_index", theirIndex],
  ])("stays what it is as a whole: %s", (name, original) => {
    expect(new Layout(`${name}.layout`).top.digest).toBe(original.top.digest);
  });

  it.each(["on_theirs", "on_their_index", "whole_theirs", "whole_their_index"])(
    "is written out with all its blobs: %s",
    (name) => {
      const layout = new Layout(`${name}.layout`);
      const { config, layers } = layout.image;
      const known = readdirSync(join(layout.folder, "blobs/sha256"));
      for (const each of [layout.top, config, ...layers]) expect(known).toContain(each.digest.slice(7));
      for (const hex of known) {
        expect(sha256(readFileSync(join(layout.folder, "blobs/sha256", hex)))).toBe(`sha256:${hex}`);
      }
    },
  );
});

describe("a push of such images", () => {
  let registry: FakeRegistry;
  beforeAll(async () => {
    registry = await FakeRegistry.start();
  });
  afterAll(() => registry.stop());

  it("sends blobs from where the links of the layout lead, and each of them once", async () => {
    const program = join(process.env["RUNFILES_DIR"] as string, "_main/test/rulesets/push");
    const env = { ...process.env, SLIPWAY_REGISTRY: registry.host };
    const { stdout } = await promisify(execFile)(program, { env });
    const digests = [...stdout.matchAll(/@(.*)$/gm)].map(([, digest]) => digest);
    expect(digests.slice(0, 2)).toEqual([theirs.top.digest, theirIndex.top.digest]);
    // An image of ours is taken as it is, by the same rule.
    expect(digests[3]).toBe(readFileSync(join(import.meta.dirname, "ours.digest"), "utf8").trim());
    for (const tag of ["image", "index", "base", "ours"])
      expect(registry.manifests.has(`team/theirs ${tag}`)).toBe(true);
    // Three layers, three configurations: the index and its image are of the same blobs. The SBOMs of ours, and the
    // empty configuration of these.
    const documents = [...registry.blobs.values()].filter((blob) => /^\{(?:\}$|"spdxVersion")/.test(blob.toString()));
    expect(registry.log.filter((each) => /^PUT .*\/blobs\//.test(each))).toHaveLength(6 + documents.length);
  });
});
