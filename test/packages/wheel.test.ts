import { readdirSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { built, output } from "./built.ts";
import { Environment, expectedImages } from "./python.ts";

let environment: Environment;
beforeAll(() => {
  environment = new Environment(built("python/bazel_slipway-*.whl"), "--no-index");
}, 120_000);

describe("the wheel, installed into an empty environment", () => {
  it("tells a program its images", () => {
    expect(environment.images()).toEqual(expectedImages);
  });

  it("has its types, its version and its license", () => {
    const program = `
from importlib.metadata import files, metadata, requires, version
print(sorted(str(f) for f in files("bazel-slipway") if f.suffix in (".py", ".typed") or f.name == "LICENSE"))
print(version("bazel-slipway"), metadata("bazel-slipway")["License"], metadata("bazel-slipway")["Requires-Python"], requires("bazel-slipway"))`;
    const [names = "", fields] = environment.python(program).split("\n");
    expect(JSON.parse(names.replaceAll("'", '"'))).toEqual([
      expect.stringMatching(/^bazel_slipway-\d+\.\d+\.\d+\.dist-info\/LICENSE$/),
      ...readdirSync("python/slipway")
        .map((name) => `slipway/${name}`)
        .sort(),
    ]);
    expect(fields).toMatch(/^\d+\.\d+\.\d+ Apache-2\.0 >=3\.9 None$/);
  });

  it("has a record of all its files, as they are", () => {
    const program = `
from importlib.metadata import files
import hashlib, base64
for f in files("bazel-slipway"):
    if f.hash and f.suffix != ".pyc":
        data = f.locate().read_bytes()
        found = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        assert f.hash.value == found and f.size == len(data), f
        print(f.name)`;
    expect(environment.python(program).split("\n")).toEqual(
      expect.arrayContaining(["__init__.py", "_images.py", "py.typed", "METADATA", "WHEEL", "LICENSE"]),
    );
  });

  it("is removed without a trace", () => {
    const { cwd } = environment;
    output([environment.bin("pip"), "uninstall", "--quiet", "--yes", "bazel-slipway"], { cwd });
    expect(environment.python("import importlib.util; print(importlib.util.find_spec('slipway'))")).toBe("None\n");
  });
});
