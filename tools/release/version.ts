import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The version, of which every other mention is made. */
export function readVersion(root: string): string {
  const [, version] =
    /^VERSION = "([^"]+)"$/m.exec(readFileSync(join(root, "bazel/private/version.bzl"), "utf8")) ?? [];
  if (version === undefined) throw new Error("bazel/private/version.bzl has no VERSION");
  return version;
}

/**
 * A text in which every mention of a version of Slipway is this one: in a `bazel_dep`, and in the name of the
 * archive or its folder.
 */
export function withVersion(text: string, version: string): string {
  const mention = /(bazel_dep\(name = "slipway", version = "|\bslipway-)\d+\.\d+\.\d+(?=["/]|\.tar\.gz)/g;
  return text.replaceAll(mention, (_, before: string) => before + version);
}
