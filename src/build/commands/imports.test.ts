import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { imports } from "./imports.ts";

function check(imported: readonly string[], packages: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), "imports-"));
  writeFileSync(join(folder, "main.ts"), `// first line\n${imported.map((path) => `import "${path}";`).join("\n")}\n`);
  const metafile = {
    inputs: { "main.ts": { imports: imported.map((path) => ({ path, external: true })) }, "lib.ts": { imports: [] } },
  };
  writeFileSync(join(folder, "meta.json"), JSON.stringify(metafile));
  const args = [
    "--metafile=meta.json",
    "--target=//a:b",
    "--output=marker",
    "--repository=npm",
    ...packages.map((name) => `--package=${name}`),
  ];
  return {
    done: imports(args, { folder, signal: new AbortController().signal }),
    marker: () => existsSync(join(folder, "marker")),
  };
}

describe("imports", () => {
  it("accepts what Node has and what is declared", async () => {
    const { done, marker } = check(
      ["node:fs", "fs", "fs/promises", "yaml", "yaml/util", "@scope/a", "@scope/a/b"],
      ["yaml", "@scope/a"],
    );
    await done;
    expect(marker()).toBe(true);
  });

  it.each([
    [
      "left-pad",
      'main.ts:3: the npm package left-pad is imported, but it is not a dependency of //a:b.\nAdd "@npm//:left-pad"',
    ],
    [
      "@scope/b/deep",
      'main.ts:3: the npm package @scope/b is imported, but it is not a dependency of //a:b.\nDid you mean @scope/a? If not, add "@npm//:@scope/b"',
    ],
    ["yalm", 'of //a:b.\nDid you mean yaml? If not, add "@npm//:yalm"'],
  ])("names the file, the line and the label for %s", async (path, message) => {
    const { done, marker } = check(["yaml", path], ["yaml", "@scope/a"]);
    await expect(done).rejects.toThrow(message);
    expect(marker()).toBe(false);
  });
});
