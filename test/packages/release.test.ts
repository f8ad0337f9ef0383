import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { built, emptyFolder, output } from "./built.ts";

const cwd = emptyFolder();
const archive = built("slipway-*.tar.gz");
const version = /^slipway-(.*)\.tar\.gz$/.exec(basename(archive))?.[1] ?? "";
const names = output(["tar", "-tzf", archive], { cwd }).trimEnd().split("\n");
output(["tar", "-xzf", archive], { cwd });
const read = (name: string) => readFileSync(join(cwd, `slipway-${version}`, name), "utf8");

describe("the release archive", () => {
  it("is in a folder with its version, which its module has too", () => {
    expect(names.filter((name) => !name.startsWith(`slipway-${version}/`))).toEqual([]);
    expect(read("MODULE.bazel")).toContain(`    version = ${JSON.stringify(version)},\n`);
    expect(read("bazel/private/version.bzl")).toContain(`VERSION = ${JSON.stringify(version)}\n`);
  });

  it("has bundles in place of sources, and nothing that is for developing Slipway", () => {
    expect(names.filter((name) => /\.m?ts$|\/(test|tools|examples)\//.test(name))).toEqual([]);
    for (const name of names.filter((name) => /\/(BUILD|MODULE)\.bazel$|\.bzl$/.test(name))) {
      const text = readFileSync(join(cwd, name), "utf8");
      expect(text, name).not.toMatch(
        /slipway_npm|slipway_dev_npm|slipway_machine|dev_dependency|"\/\/(test|tools|examples)\b/,
      );
    }
  });
});

describe("the files of a release", () => {
  it.each(["slipway-*.tar.gz", "npm/slipway-*.tgz", "python/slipway-*.whl", "python/slipway-*.tar.gz"])(
    "%s is the same from another build, in other folders",
    (pattern) => {
      const file = built(pattern);
      expect(readFileSync(built(join("again", pattern))).equals(readFileSync(file))).toBe(true);
    },
  );

  it("are named for the version that the README tells users to write", () => {
    const named = [...readFileSync("README.md", "utf8").matchAll(/bazel_dep\(name = "slipway", version = "(.*?)"\)/g)];
    expect(named.map(([, written]) => written)).toEqual([version]);
  });
});
