// Writes the version of bazel/private/version.bzl wherever pages and examples mention it: `node
// tools/release/update-version.ts`.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readVersion, withVersion } from "./version.ts";

const root = dirname(dirname(import.meta.dirname));
const version = readVersion(root);
const files = execFileSync("git", ["ls-files", "*.md", "*MODULE.bazel"], { cwd: root, encoding: "utf8" });
for (const file of files.trim().split("\n")) {
  if (file === "CHANGELOG.md") continue;
  const text = readFileSync(join(root, file), "utf8");
  const current = withVersion(text, version);
  if (current !== text) writeFileSync(join(root, file), current);
}
