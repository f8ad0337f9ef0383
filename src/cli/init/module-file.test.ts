import { describe, expect, it } from "vitest";
import { ModuleFile } from "./module-file.ts";

const file = new ModuleFile(`"""A module (with parentheses) and a bazel_dep(name = "doc")."""
module(
    name = "shop",  # bazel_dep(name = "comment")
)

bazel_dep(name = "slipway", version = "0.1.0", repo_name = "ship")
archive_override(
    module_name = "slipway",
    strip_prefix = "a)b",
    urls = ["https://example.com/(1).tar.gz"],
)
bazel_dep(name = "plain", version = "1")

js = use_extension("@slipway//bazel:extensions.bzl", "npm")
js.install(name = "packages", package_json = "//:package.json", pnpm_lock = "@@//:pnpm-lock.yaml")
use_repo(js, "packages", renamed = "other")
`);

describe("a MODULE.bazel", () => {
  it("has a name", () => {
    expect([file.isModule("shop"), file.isModule("slipway")]).toEqual([true, false]);
  });

  it("has dependencies, and the names they go by", () => {
    expect(file.dependency("slipway")).toEqual({ repoName: "ship" });
    expect(file.dependency("plain")).toEqual({ repoName: "plain" });
    for (const name of ["comment", "doc", "shop"]) expect(file.dependency(name)).toBeUndefined();
  });

  it("has overrides, whole", () => {
    expect(file.override("slipway")).toMatch(/^archive_override\([\s\S]*\(1\)\.tar\.gz"\],\n\)$/);
    expect(file.override("plain")).toBeUndefined();
  });

  it("has what extensions make", () => {
    const variable = file.extension("@slipway//bazel:extensions.bzl", "npm") ?? "";
    expect(variable).toBe("js");
    expect(file.tagged(variable, "install", "pnpm_lock", "//:pnpm-lock.yaml")).toBe("packages");
    expect(file.tagged(variable, "install", "pnpm_lock", "//other:pnpm-lock.yaml")).toBeUndefined();
    expect(file.extension("@slipway//bazel:extensions.bzl", "python")).toBeUndefined();
  });

  it("knows the names that are taken", () => {
    expect(["js", "packages", "other", "npm"].map((name) => file.has(name))).toEqual([true, true, true, false]);
  });
});
