import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const runfiles = process.env["TEST_SRCDIR"] ?? "";

/** What the build wrote of the base, made in that way. */
function written(how: string, part: string): string {
  const [path, ...more] = globSync(`*slim_base_*/image/image_manifest_${how}.${part}.json`, { cwd: runfiles });
  expect(more).toEqual([]);
  return readFileSync(join(runfiles, path ?? how), "utf8");
}

it.each(["descriptor", "manifest", "config"])(
  "a base has the same %s with a transition to its platform and without",
  (part) => {
    expect(written("as_built_for", part)).toBe(written("by_transition", part));
  },
);
