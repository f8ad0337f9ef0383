import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../core/testdata/folder.ts";
import { userErrorWith } from "../../core/testdata/reported.ts";
import { runCommand } from "../commands.ts";

let folder: string;
const run = (...args: string[]) => runCommand(args, { folder, signal: new AbortController().signal });
const read = (name: string) => JSON.parse(readFileSync(join(folder, name), "utf8"));

/** Makes a layer of files, by their path in the image. */
async function layer(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const entries = Object.entries(files).map(([path, content]) => {
    mkdirSync(dirname(join(folder, name, path)), { recursive: true });
    writeFileSync(join(folder, name, path), content);
    return JSON.stringify(["file", path, `${name}/${path}`]);
  });
  const outputs = [`--output=${name}.tar`, `--metadata=${name}.json`, `--packages=${name}.packages.json`];
  await run("layer", ...outputs, "--compression=none", ...entries);
  return JSON.stringify(["layer", `${name}.json`, `${name}.packages.json`]);
}

const image = ["--descriptor=d.json", "--manifest=m.json"];
const base = ["--descriptor=bd.json", "--manifest=bm.json"];

/** A base with Debian's packages, and an image with a npm package on it. */
let layers: string[];
beforeEach(async () => {
  folder = temporaryFolder();
  layers = [
    await layer("base", {
      "usr/lib/os-release": "ID=debian\nVERSION_ID=12\n",
      "var/lib/dpkg/status": "Package: bash\nVersion: 5.2\nArchitecture: amd64\n",
    }),
    await layer("app", { "app/node_modules/a/package.json": '{"name":"a","version":"1.0.0","license":"MIT"}' }),
  ];
  const spec = `--spec=${JSON.stringify({ os: "linux", architecture: "amd64" })}`;
  await run("manifest", ...base, "--config=bc.json", "--layer=base.json", spec);
  const onBase = ["--base-manifest=bm.json", "--base-config=bc.json"];
  await run("manifest", ...image, "--config=c.json", ...onBase, "--layer=app.json", spec);
});

async function sbom(format: string, ...args: string[]) {
  await run("sbom", "--output=sbom.json", `--format=${format}`, "--name=//pkg:image", ...image, ...args);
  return readFileSync(join(folder, "sbom.json"), "utf8");
}

const purlsIn = (text: string) => [...text.matchAll(/"pkg:[^"]+"/g)].map(([purl]) => JSON.parse(purl)).sort();

describe("sbom", () => {
  it.each(["spdx", "cyclonedx"])("lists the packages of all layers with the checksums of locks: %s", async (format) => {
    const archive = Buffer.alloc(64, "hash of an archive");
    writeFileSync(
      join(folder, "pnpm-lock.yaml"),
      `lockfileVersion: '9.0'\n\npackages:\n\n  a@1.0.0:\n    resolution: {integrity: sha512-${archive.toString("base64")}}\n`,
    );
    const lock = JSON.stringify(["lock", "pnpm-lock.yaml"]);
    const text = await sbom(format, ...layers, lock);
    expect(purlsIn(text)).toEqual(["pkg:deb/debian/bash@5.2?arch=amd64&distro=debian-12", "pkg:npm/a@1.0.0"]);
    for (const { digest } of [read("d.json"), read("app.json"), read("base.json")]) {
      expect(text).toContain(digest.slice("sha256:".length));
    }
    expect(text).toContain(archive.toString("hex"));
    expect(text).toContain("//pkg:image");
    expect(await sbom(format, ...layers.toReversed(), lock)).toBe(text);
  });

  it.each(["spdx", "cyclonedx"])(
    "names a base that another tool made, and leaves its layers to it: %s",
    async (format) => {
      const made = ["--base=bd.json", "--base-name=registry.example.com/base"];
      const text = await sbom(format, layers[1] as string, ...made);
      const { digest } = read("bd.json");
      const url = `pkg:oci/base@${digest}?arch=amd64&repository_url=registry.example.com%2Fbase`;
      expect(purlsIn(text)).toEqual(["pkg:npm/a@1.0.0", url]);
      expect(text).not.toContain(read("base.json").digest);
    },
  );

  it("leaves out a layer that is not in the image", async () => {
    const other = await layer("other", { "node_modules/b/package.json": '{"name":"b","version":"2.0.0"}' });
    expect(await sbom("spdx", ...layers, other)).toBe(await sbom("spdx", ...layers));
  });

  it("refuses another format and other entries", async () => {
    await expect(sbom("text", ...layers)).rejects.toThrow(userErrorWith("command-line-invalid", "--format"));
    await expect(sbom("spdx", '["file","a","b"]')).rejects.toThrow(
      userErrorWith("command-line-invalid", '["file","a","b"]'),
    );
  });
});
