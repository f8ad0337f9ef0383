import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../core/testdata/folder.ts";
import { userErrorWith } from "../../core/testdata/reported.ts";
import { imports } from "./check-imports.ts";

function check(imported: readonly string[], packages: readonly string[]) {
  const folder = temporaryFolder();
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
    ["left-pad", '\nAdd "@npm//:left-pad"'],
    ["@scope/b/deep", '\nDid you mean @scope/a? If not, add "@npm//:@scope/b"'],
    ["yalm", '\nDid you mean yaml? If not, add "@npm//:yalm"'],
  ])("names the file, the line and the label for %s", async (path, remedy) => {
    const { done, marker } = check(["yaml", path], ["yaml", "@scope/a"]);
    await expect(done).rejects.toThrow(userErrorWith("target-invalid", "main.ts:3"));
    await expect(done).rejects.toThrow(remedy);
    expect(marker()).toBe(false);
  });
});
