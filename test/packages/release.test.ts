import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
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
    const own = names.filter((name) => !name.startsWith(`slipway-${version}/examples/`));
    const tools = /\/tools\/(|bazel|slipway|bootstrap\/(|[\w-]+\.(sh|mjs|yaml)))$/;
    // A part of every program's bundle, where it knows the program's sources.
    const bundled = `slipway-${version}/src/sdk/stack-trace.ts`;
    const sources = own.filter((name) => /\.m?ts$|\/(test|tools)\//.test(name) && !tools.test(name));
    expect(sources).toEqual([bundled]);
    for (const name of own.filter((name) => /\/(BUILD|MODULE)\.bazel$|\.bzl$/.test(name))) {
      const text = readFileSync(join(cwd, name), "utf8");
      expect(text, name).not.toMatch(
        /slipway_npm|slipway_dev_npm|slipway_machine|dev_dependency|"\/\/(test|tools|examples)\b/,
      );
    }
  });
});

describe("the entry of a module registry", () => {
  const template = (name: string) => readFileSync(join(".bcr", name), "utf8").replaceAll("{VERSION}", version);

  it("points at the archive and at the folder in it", () => {
    const source = JSON.parse(template("source.template.json")) as Readonly<Record<string, string>>;
    expect(basename(source["url"] ?? "")).toBe(basename(archive));
    expect(source["strip_prefix"]).toBe(`slipway-${version}`);
    expect(Object.keys(source)).toContain("integrity");
  });

  it("leaves the versions to the registry", () => {
    const metadata = JSON.parse(template("metadata.template.json")) as Readonly<Record<string, unknown>>;
    expect(metadata).toMatchObject({ versions: [], yanked_versions: {} });
    expect(metadata["repository"]).toEqual([expect.stringMatching(/^github:[^/]+\/slipway$/)]);
    expect(metadata["maintainers"]).toEqual([expect.objectContaining({ github: expect.any(String) })]);
  });

  it("tests a module that the archive has, by targets that it has", () => {
    const presubmit = parse(template("presubmit.yml")) as {
      bcr_test_module: {
        module_path: string;
        tasks: Record<string, { build_targets: string[]; test_targets: string[] }>;
      };
    };
    const { module_path: path, tasks } = presubmit.bcr_test_module;
    expect(read(`${path}/MODULE.bazel`)).toContain('bazel_dep(name = "slipway"');
    const targets = Object.values(tasks).flatMap((task) => [...task.build_targets, ...task.test_targets]);
    expect(targets).toEqual(["//:main", "//:main_test"]);
    for (const target of targets) expect(read(`${path}/BUILD.bazel`)).toContain(`name = "${target.slice(3)}"`);
  });
});

describe("the READMEs of a release", () => {
  const unpacked = emptyFolder();
  output(["tar", "-xzf", built("npm/bazel-slipway-*.tgz")], { cwd: unpacked });
  output(["tar", "-xzf", built("python/bazel_slipway-*.tar.gz")], { cwd: unpacked });

  it.each([
    ["archive", join(cwd, `slipway-${version}`)],
    ["npm package", join(unpacked, "package")],
    ["Python package", join(unpacked, `bazel_slipway-${version}`)],
  ])("link to what is there, in the %s", (_, folder) => {
    const links = [...readFileSync(join(folder, "README.md"), "utf8").matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)];
    const dead = links.filter(([, target = ""]) => {
      return /^https:\/\//.test(target) ? /OWNER|\{/.test(target) : !existsSync(join(folder, target));
    });
    expect(dead.map(([, target]) => target)).toEqual([]);
  });

  it("is what PyPI shows", () => {
    const info = readFileSync(join(unpacked, `bazel_slipway-${version}`, "PKG-INFO"), "utf8");
    expect(info).toContain(readFileSync(join(unpacked, `bazel_slipway-${version}`, "README.md"), "utf8"));
  });
});

describe("the files of a release", () => {
  it.each([
    "slipway-*.tar.gz",
    "npm/bazel-slipway-*.tgz",
    "python/bazel_slipway-*.whl",
    "python/bazel_slipway-*.tar.gz",
  ])("%s is the same from another build, in other folders", (pattern) => {
    const file = built(pattern);
    expect(readFileSync(built(join("again", pattern))).equals(readFileSync(file))).toBe(true);
  });

  it("are named for the version that the README tells users to write", () => {
    const named = [...readFileSync("README.md", "utf8").matchAll(/bazel_dep\(name = "slipway", version = "(.*?)"\)/g)];
    expect(named.map(([, written]) => written)).toEqual([version]);
  });
});
