import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { metadata, stampPyproject } from "./python.ts";
import { stampModule } from "./stamp-module.ts";

const module = readFileSync("MODULE.bazel", "utf8");
const project = readFileSync("python/pyproject.toml", "utf8");

describe("MODULE.bazel of a release", () => {
  const stamped = stampModule(module, "9.8.7");

  it("has the version, and nothing that is for this repository alone", () => {
    expect(stamped).toMatch(/^module\(\n {4}name = "slipway",\n {4}version = "9\.8\.7",$/m);
    expect(stamped).toContain('register_toolchains("//bazel/toolchains:all")');
    expect(stamped).not.toMatch(/dev_dependency|slipway_npm|slipway_dev_npm|slipway_machine|quickstart/);
  });

  it("is refused where the lines that it goes by are gone", () => {
    expect(() => stampModule(module.replace("# Below this line:", "#"), "1")).toThrow(/Below this line/);
    expect(() => stampModule(stamped, "1")).toThrow(/without a version/i);
  });
});

describe("the Python package", () => {
  it("has the version in place of the remark that it has one", () => {
    expect(stampPyproject(project, "9.8.7")).toMatch(/^name = "bazel-slipway"\nversion = "9\.8\.7"$/m);
    expect(() => stampPyproject("[project]\n", "1")).toThrow(/dynamic/);
  });

  it("describes itself as pyproject.toml does", () => {
    const text = metadata(project, "# Read me\n", "9.8.7");
    expect(text).toMatch(/^Metadata-Version: 2\.1\nName: bazel-slipway\nVersion: 9\.8\.7\nSummary: \S/);
    expect(text).toMatch(/^Requires-Python: >=3\.\d+$/m);
    expect(text.endsWith("\n\n# Read me\n")).toBe(true);
    expect(() => metadata(project.replace(/^description.*$/m, ""), "", "1")).toThrow(/description/);
  });
});
