import { chmodSync, symlinkSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { checkOut } from "../git/checkout.ts";
import { folderOfTest, git, repositoryOfTest } from "../git/testdata/git-repository.ts";
import { localCode } from "./code.ts";
import { codeLayer } from "./code-layer.ts";
import { layerListing } from "./testdata/layer-listing.ts";

const access = { protocols: ["file"] } as const;

describe("the layer of a commit", () => {
  it("has its folder where the checkout has it, also when the cache is behind a link", async () => {
    const repository = repositoryOfTest();
    const commit = repository.commit({ "src/a.py": "" });
    const place = folderOfTest();
    symlinkSync(folderOfTest(), join(place, "cache"));
    const code = { GitRepoCommit: { repo_url: repository.url, commit, path_to_source: "src" } };
    const env = { ...process.env, XDG_CACHE_HOME: join(place, "cache") };
    const { folders, checkout = "" } = await localCode(code, place, { env, git: access });
    expect(relative(checkout, folders[0] ?? "")).toBe("src");
  });

  it("has its files with their modes and links, no .git, and the same digest on every machine", async () => {
    const inner = repositoryOfTest();
    inner.commit({ i: "1" });
    const repository = repositoryOfTest();
    writeFileSync(join(repository.folder, "run"), "#!/bin/sh\n");
    chmodSync(join(repository.folder, "run"), 0o755);
    symlinkSync("/etc/passwd", join(repository.folder, "link"));
    git(repository.folder, "submodule", "--quiet", "add", inner.url, "sub");
    const commit = repository.commit({ "src/a.py": "print()\n" });

    const layers = [];
    for (const umask of [0o022, 0o077]) {
      const before = process.umask(umask);
      const cache = folderOfTest();
      const checkout = await checkOut(cache, repository.url, commit, access);
      layers.push(await codeLayer(cache, checkout));
      expect(await codeLayer(cache, checkout)).toEqual(layers.at(-1));
      process.umask(before);
    }
    expect(layers[0]?.metadata).toEqual(layers[1]?.metadata);
    expect(layerListing(layers[0]?.blob ?? "")).toEqual([
      "drwxr-xr-x 0/0 slipway/",
      "drwxr-xr-x 0/0 slipway/code/",
      "-rw-r--r-- 0/0 slipway/code/.gitmodules",
      "lrwxr-xr-x 0/0 slipway/code/link -> /etc/passwd",
      "-rwxr-xr-x 0/0 slipway/code/run",
      "drwxr-xr-x 0/0 slipway/code/src/",
      "-rw-r--r-- 0/0 slipway/code/src/a.py",
      "drwxr-xr-x 0/0 slipway/code/sub/",
      "-rw-r--r-- 0/0 slipway/code/sub/i",
    ]);
  });
});
