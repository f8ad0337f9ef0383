import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../core/testdata/folder.ts";
import { userErrorWith } from "../../core/testdata/reported.ts";
import { sha256 } from "../../oci/digest.ts";
import { mediaTypes } from "../../oci/media-types.ts";
import { runCommand } from "../commands.ts";

let folder: string;
const write = (name: string, content: unknown) => {
  writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
  return name;
};
const platform = { os: "linux", architecture: "amd64" };
const descriptorOf = (name: string) => ({ mediaType: mediaTypes.manifest, digest: sha256(name), size: 1, platform });
const hexOf = (name: string) => sha256(name).slice("sha256:".length);

beforeEach(() => {
  folder = temporaryFolder();
});

async function provenance(...args: string[]) {
  const options = ["--output=p.json", `--descriptor=${write("d.json", descriptorOf("image"))}`];
  const command = ["provenance", ...options, "--target=//pkg:main_image", "--version=0.1.0", ...args];
  await runCommand(command, { folder, signal: new AbortController().signal });
  return readFileSync(join(folder, "p.json"), "utf8");
}

describe("provenance", () => {
  it("names the image, its target, the builder and the materials by hash", async () => {
    const text = await provenance(
      JSON.stringify(["base", write("base.json", descriptorOf("base")), "registry.example.com/base"]),
      JSON.stringify(["base", write("own.json", descriptorOf("own")), "//images:base"]),
      JSON.stringify(["lock", write("lock.yaml", "packages"), "@npm//:pnpm-lock.yaml"]),
    );
    expect(JSON.parse(text)).toEqual({
      _type: "https://in-toto.io/Statement/v1",
      subject: [{ name: "//pkg:main_image", digest: { sha256: hexOf("image") } }],
      predicateType: "https://slsa.dev/provenance/v1",
      predicate: {
        buildDefinition: {
          buildType: expect.stringMatching(/^\w+:/),
          externalParameters: { target: "//pkg:main_image", platform: "linux/amd64" },
          resolvedDependencies: [
            {
              name: "registry.example.com/base",
              uri: `oci://registry.example.com/base@${sha256("base")}`,
              digest: { sha256: hexOf("base") },
            },
            { name: "//images:base", digest: { sha256: hexOf("own") } },
            { name: "@npm//:pnpm-lock.yaml", digest: { sha256: hexOf("packages") } },
          ],
        },
        runDetails: { builder: { id: expect.stringMatching(/^\w+:/), version: { slipway: "0.1.0" } } },
      },
    });
    expect(await provenance()).toBe(await provenance());
  });

  it.each([
    ["clean", "clean", { clean: true }],
    ["Slipway's own name for changes", "changed", { clean: false }],
    ["Bazel's usual name for changes", "Modified", { clean: false }],
  ])("has the commit and whether the tree was clean, from the build status: %s", async (_, tree, annotations) => {
    const stable =
      "STABLE_GIT_COMMIT 0a1b\nSTABLE_GIT_URL https://u:p@git.example.com/a\nSTABLE_BUILDER_ID https://ci.example.com\n";
    const status = ["stable.txt", "volatile.txt"].map((name, index) => {
      write(name, index === 0 ? stable : `BUILD_SCM_STATUS ${tree}\nBUILD_TIMESTAMP 17\n`);
      return `--status=${name}`;
    });
    const { predicate } = JSON.parse(await provenance(...status));
    const uri = "git+https://git.example.com/a@0a1b";
    const source = { name: "source", uri, digest: { gitCommit: "0a1b" }, annotations };
    expect(predicate.buildDefinition.resolvedDependencies).toEqual([source]);
    expect(predicate.runDetails.builder.id).toBe("https://ci.example.com");
  });

  it.each([
    ['["base","d.json"]', "command-line-invalid", '["base","d.json"]'],
    ['["file","d.json","x"]', "command-line-invalid", '["file","d.json","x"]'],
    ['["lock","absent","x"]', "file-unreadable", /absent$/],
  ] as const)("refuses %s", async (entry, code, culprit) => {
    await expect(provenance(entry)).rejects.toThrow(userErrorWith(code, culprit));
  });
});
