import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Registry } from "./registry.ts";
import { Workspace } from "./workspace.ts";

const workspace = new Workspace("next");
const registry = new Registry(workspace);
const next = "--config=next";

beforeAll(() =>
  workspace.write({
    "outdated/native/BUILD.bazel": 'cc_test(name = "native", srcs = ["native.cc"])\n',
    "outdated/empty/BUILD.bazel": 'filegroup(name = "empty", srcs = glob(["*.none"]))\n',
    "outdated/struct/BUILD.bazel": 'load(":rule.bzl", "outdated")\noutdated(name = "struct")\n',
    "outdated/struct/rule.bzl": "outdated = rule(implementation = lambda ctx: struct(old = 1))\n",
    "outdated/owner/BUILD.bazel": 'filegroup(name = "own", srcs = ["file"])\n',
    "outdated/owner/file": "",
    "outdated/private/BUILD.bazel": 'filegroup(name = "private", srcs = ["//outdated/owner:file"])\n',
  }),
);
afterAll(() => registry.stop());

describe("under what Bazel 8 and 9 decide otherwise, as far as Bazel 7 can be told to", () => {
  it("everything in Slipway's public packages can be built", async () => {
    await workspace.stdout(["build", next, "//:slipway", "//bazel/...", "//python/slipway"]);
  });

  it("the rules' own tests pass", async () => {
    await workspace.stdout(["test", next, "--test_output=errors", "//test/rules/..."]);
  });

  it("the quickstart runs, its image is in the registry", async () => {
    const stdout = await workspace.stdout(["run", next, "//examples/quickstart:report"]);
    const [image] = stdout.match(/^image: localhost:\d+\/examples\/quickstart@sha256:[0-9a-f]{64}$/m) ?? [];
    expect(image).toBeDefined();
    await registry.verifyNamed("examples/quickstart", stdout);
  });

  it.each([
    ["native", /name 'cc_test' is not defined/],
    ["empty", /allow_empty/],
    ["struct", /struct/],
    ["private", /is not visible from/],
  ])("what is outdated is refused: %s", async (name, message) => {
    const { status, stderr } = await workspace.bazel(["build", next, "--nobuild", `//outdated/${name}`]);
    expect(stderr).toMatch(message);
    expect(status).toBe(1);
  });
});
