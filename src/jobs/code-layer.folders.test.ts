import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { folderOfTest, git } from "../git/testdata/git-repository.ts";
import { folderLayer } from "./code-layer.ts";
import { layerListing } from "./testdata/layer-listing.ts";

describe("the layer of folders", () => {
  const write = (files: Record<string, string>) => {
    const folder = folderOfTest();
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(join(folder, path, ".."), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
    return folder;
  };
  const pack = (...folders: string[]) => folderLayer(folders, join(folderOfTest(), "code.tar.gz"));

  it("has each below a number of its own, no .git, and the same digest wherever they are", async () => {
    const layers = [];
    for (const umask of [0o022, 0o077]) {
      const before = process.umask(umask);
      const code = write({ "run.sh": "#!/bin/sh\n", "pkg/a.py": "A = 1\n", "sub/.git": "gitdir: ../../elsewhere\n" });
      git(code, "init", "--quiet");
      chmodSync(join(code, "run.sh"), 0o700);
      symlinkSync("pkg/../pkg/a.py", join(code, "b.py"));
      layers.push(await pack(code, write({ "lib.py": "" })));
      process.umask(before);
    }
    expect(layers[0]?.metadata).toEqual(layers[1]?.metadata);
    expect(layerListing(layers[0]?.blob ?? "")).toEqual([
      "drwxr-xr-x 0/0 slipway/",
      "drwxr-xr-x 0/0 slipway/code/",
      "drwxr-xr-x 0/0 slipway/code/0/",
      "lrwxr-xr-x 0/0 slipway/code/0/b.py -> pkg/../pkg/a.py",
      "drwxr-xr-x 0/0 slipway/code/0/pkg/",
      "-rw-r--r-- 0/0 slipway/code/0/pkg/a.py",
      "-rwxr-xr-x 0/0 slipway/code/0/run.sh",
      "drwxr-xr-x 0/0 slipway/code/0/sub/",
      "drwxr-xr-x 0/0 slipway/code/1/",
      "-rw-r--r-- 0/0 slipway/code/1/lib.py",
    ]);
  });

  it.each(["/etc/passwd", "../other", "deep/../../x"])("refuses a link to %s", async (target) => {
    const code = write({ "a.py": "" });
    symlinkSync(target, join(code, "link"));
    await expect(pack(code)).rejects.toThrow(userErrorWith("code-invalid", join(code, "link")));
  });

  it("refuses what is neither a file nor a folder", async () => {
    const code = write({ "a.py": "" });
    execFileSync("mkfifo", [join(code, "pipe")]);
    await expect(pack(code)).rejects.toThrow(userErrorWith("code-invalid", join(code, "pipe")));
  });
});
