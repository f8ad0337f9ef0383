import { createReadStream, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { decompressLayer } from "../../src/layer/decompress.ts";
import { listTar } from "../../src/layer/read.ts";
import type { Descriptor } from "../../src/oci/descriptor.ts";
import { type ImageIndex, parseImageManifest } from "../../src/oci/manifest.ts";

const json = (path: string) => JSON.parse(readFileSync(path, "utf8"));

/** The images in the layout of an index, and what is in their layers. */
function open(name: string) {
  const layout = join(import.meta.dirname, name);
  const blob = (digest: string) => join(layout, "blobs", digest.replace(":", "/"));
  const [top] = (json(join(layout, "index.json")) as ImageIndex).manifests;
  const index = json(blob((top as Descriptor).digest)) as ImageIndex;
  const images = index.manifests.map(({ digest, platform }) => {
    const manifest = parseImageManifest(readFileSync(blob(digest)));
    return { platform, layers: manifest.layers, config: json(blob(manifest.config.digest)) };
  });
  const contents = (layer: Descriptor) => decompressLayer(createReadStream(blob(layer.digest)));
  const files = async (layer: Descriptor) => {
    const paths: string[] = [];
    for await (const { path, type } of listTar(contents(layer))) if (type === "file") paths.push(path);
    return paths;
  };
  return { images, contents, files };
}

describe("an image for two platforms", () => {
  const { images, contents, files } = open("bundled_default_image.layout");

  it("is for amd64 and for arm64", () => {
    expect(images.map(({ platform }) => platform)).toEqual([
      { os: "linux", architecture: "amd64" },
      { os: "linux", architecture: "arm64" },
    ]);
    expect(images.map(({ config }) => config.architecture)).toEqual(["amd64", "arm64"]);
  });

  it("differs in the runtime alone: packages of JavaScript and the program itself are the same layers", async () => {
    const [amd64 = [], arm64 = []] = images.map(({ layers }) => layers);
    const differ = amd64.map((layer, at) => layer.digest !== arm64[at]?.digest);
    expect(differ).toEqual([true, false, false]);
    for (const layers of [amd64, arm64]) {
      expect(await files(layers[0] as Descriptor)).toEqual(["app/main.runfiles/slipway_node/node"]);
    }
    expect(await files(amd64[1] as Descriptor)).toContainEqual(
      expect.stringMatching(/node_modules\/yaml\/package.json$/),
    );
    const own = await files(amd64[2] as Descriptor);
    for (const name of ["bundled.program", "bundled.program.mjs"]) {
      expect(own).toContainEqual(expect.stringMatching(new RegExp(`/test/rules/${name}$`)));
    }
  });

  it("has for each the Node that runs there", async () => {
    const machines = images.map(async ({ layers }) => {
      const [node] = layers;
      for await (const chunk of contents(node as Descriptor)) {
        // A block of tar, and then the file.
        const head = Buffer.from(chunk);
        return head.readUInt16LE(head.indexOf("\x7fELF") + 18);
      }
      return undefined;
    });
    expect(await Promise.all(machines)).toEqual([62, 183]);
  });
});

describe("an image of a Python program for two platforms", () => {
  const { images, files } = open("packaged_default_image.layout");

  it("differs in packages with native code alone: the others and the program itself are the same layers", async () => {
    const [amd64 = [], arm64 = []] = images.map(({ layers }) => layers);
    const differ = amd64.map((layer, at) => layer.digest !== arm64[at]?.digest);
    expect(differ).toEqual([true, false, false]);
    const [native, pure, own] = (await Promise.all(amd64.map(files))) as [string[], string[], string[]];
    const packages = (...paths: string[]) =>
      paths.map((path) => expect.stringMatching(new RegExp(`[/~+]slipway_test_pip/site-packages/${path}$`)));
    const bytecode = "__pycache__/__init__.cpython-311.pyc";
    expect(native).toEqual(packages("native/__init__.py", `native/${bytecode}`, "native/code.so"));
    expect(await files(arm64[0] as Descriptor)).toEqual(native);
    expect(pure).toEqual(packages("pure/__init__.py", `pure/${bytecode}`));
    expect(own).toContainEqual(expect.stringMatching(/\/test\/rules\/packaged_program$/));
  });
});
