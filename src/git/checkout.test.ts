import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import type { GitAccess } from "./access.ts";
import { checkOut } from "./checkout.ts";
import { resolveBranch } from "./remote.ts";
import { folderOfTest, git, repositoryOfTest } from "./testdata/git-repository.ts";
import { resolveInside } from "./tree.ts";

const access: GitAccess = { protocols: ["https", "ssh", "file"] };

const isLfsInstalled = spawnSync("git", ["lfs", "version"]).status === 0;

describe("a checkout", () => {
  it("has the files of its commit, whatever came after, and no .git", async () => {
    const repository = repositoryOfTest();
    const first = repository.commit({ "a.txt": "one", "src/run.sh": "#!/bin/sh\n" });
    repository.commit({ "a.txt": "two" });
    const folder = await checkOut(folderOfTest(), repository.url, first, access);
    expect(readFileSync(join(folder, "a.txt"), "utf8")).toBe("one");
    expect(readdirSync(folder).sort()).toEqual(["a.txt", "src"]);
  });

  it("is read-only and keeps what can be executed", async () => {
    const repository = repositoryOfTest();
    writeFileSync(join(repository.folder, "run"), "#!/bin/sh\n");
    chmodSync(join(repository.folder, "run"), 0o755);
    const commit = repository.commit({ "a.txt": "one" });
    const folder = await checkOut(folderOfTest(), repository.url, commit, access);
    const mode = (path: string) => statSync(join(folder, path)).mode & 0o777;
    expect([mode("."), mode("run"), mode("a.txt")]).toEqual([0o555, 0o555, 0o444]);
  });

  it("asks no server the second time", async () => {
    const repository = repositoryOfTest();
    const commit = repository.commit({ "a.txt": "one" });
    const cache = folderOfTest();
    const folder = await checkOut(cache, repository.url, commit, access);
    rmSync(repository.folder, { recursive: true });
    expect(await checkOut(cache, repository.url, commit, access)).toBe(folder);
  });

  it("is made once by many at the same time, and no draft stays", async () => {
    const repository = repositoryOfTest();
    const commit = repository.commit({ "a.txt": "one" });
    const cache = folderOfTest();
    const folders = await Promise.all(Array.from({ length: 6 }, () => checkOut(cache, repository.url, commit, access)));
    expect(new Set(folders).size).toBe(1);
    expect(readdirSync(join(cache, "drafts"))).toEqual([]);
    expect(readdirSync(join(cache, "checkouts"))).toEqual([commit]);
  });

  it("removes what a killed process left", async () => {
    const repository = repositoryOfTest();
    const cache = folderOfTest();
    await checkOut(cache, repository.url, repository.commit({ a: "1" }), access);
    for (const name of ["left", "left.lock"]) writeFileSync(join(cache, "drafts", name), "");
    await checkOut(cache, repository.url, repository.commit({ a: "2" }), access);
    expect(readdirSync(join(cache, "drafts"))).toEqual([]);
  });

  it("is made although a git was killed in the middle of a fetch", async () => {
    const repository = repositoryOfTest();
    const cache = folderOfTest();
    await checkOut(cache, repository.url, repository.commit({ a: "1" }), access);
    const [mirror = ""] = readdirSync(cache).filter((name) => /^[0-9a-f]{32}$/.test(name));
    const next = repository.commit({ a: "2" });
    for (const name of ["shallow.lock", `refs/slipway/${next}.lock`]) {
      writeFileSync(join(cache, mirror, "mirror.git", name), "");
    }
    expect(await checkOut(cache, repository.url, next, access)).toContain(next);
  });

  it("that is given up leaves nothing", async () => {
    const repository = repositoryOfTest();
    const cache = folderOfTest();
    const controller = new AbortController();
    const made = checkOut(cache, repository.url, repository.commit({ a: "1" }), {
      ...access,
      signal: controller.signal,
    });
    controller.abort(new Error("given up"));
    await expect(made).rejects.toThrow("given up");
    expect(readdirSync(join(cache, "drafts"))).toEqual([]);
  });

  it("leaves nothing when it fails", async () => {
    const repository = repositoryOfTest();
    repository.commit({ a: "1" });
    const cache = folderOfTest();
    await expect(checkOut(cache, repository.url, "0".repeat(40), access)).rejects.toThrow();
    expect(readdirSync(join(cache, "checkouts"))).toEqual([]);
    expect(readdirSync(join(cache, "drafts"))).toEqual([]);
  });

  it("of a commit that a forced push removed is refused by name", async () => {
    const repository = repositoryOfTest();
    repository.commit({ a: "1" });
    const lost = repository.commit({ a: "2" });
    git(repository.folder, "reset", "--quiet", "--hard", "HEAD~1");
    git(repository.folder, "reflog", "expire", "--expire=now", "--all");
    git(repository.folder, "gc", "--quiet", "--prune=now");
    await expect(checkOut(folderOfTest(), repository.url, lost, access)).rejects.toThrow(
      userErrorWith("git-not-found", lost),
    );
  });

  it("comes from a server that gives no commit by its id, after a shallow one too", async () => {
    const repository = repositoryOfTest();
    const first = repository.commit({ a: "1" });
    const second = repository.commit({ a: "2" });
    repository.commit({ a: "3" });
    const cache = folderOfTest();
    const old = { ...access, env: { ...process.env } };
    // Protocol version 0 gives only what references name.
    git(repository.folder, "branch", "second", second);
    expect(await checkOut(cache, repository.url, second, old)).toContain(second);
    expect(readFileSync(join(await checkOut(cache, repository.url, first, old), "a"), "utf8")).toBe("1");
  });

  it("runs no hook and heeds no filter of the repository", async () => {
    const repository = repositoryOfTest();
    const commit = repository.commit({
      ".gitattributes": "* filter=evil\n",
      a: "1",
      ".gitconfig": '[filter "evil"]\nsmudge = false\n',
    });
    const folder = await checkOut(folderOfTest(), repository.url, commit, access);
    expect(readFileSync(join(folder, "a"), "utf8")).toBe("1");
  });

  it("is not made by a protocol that is not allowed", async () => {
    const repository = repositoryOfTest();
    const commit = repository.commit({ a: "1" });
    await expect(checkOut(folderOfTest(), repository.url, commit, {})).rejects.toThrow(
      /has the protocol file, and only https and ssh may be used/,
    );
    await expect(checkOut(folderOfTest(), `ext::sh -c true`, commit, access)).rejects.toThrow(/has a space/);
  });
});

describe("submodules", () => {
  it("come along at the commit that is pinned, by relative addresses too, in submodules too", async () => {
    const folder = folderOfTest();
    const [outer, inner, innermost] = ["outer", "inner", "innermost"].map((name) => {
      git(folder, "init", "--quiet", name);
      return repositoryOfTest(join(folder, name));
    }) as [
      ReturnType<typeof repositoryOfTest>,
      ReturnType<typeof repositoryOfTest>,
      ReturnType<typeof repositoryOfTest>,
    ];
    innermost.commit({ deep: "x" });
    inner.commit({ i: "pinned" });
    git(inner.folder, "submodule", "--quiet", "add", "../innermost", "lib/deepest");
    inner.commit({});
    outer.commit({ o: "1" });
    git(outer.folder, "submodule", "--quiet", "add", inner.url, "third/party");
    const commit = outer.commit({});
    inner.commit({ i: "moved" });
    git(folder, "config", "--file", join(outer.folder, ".gitmodules"), "submodule.third/party.url", "../inner");
    const relative = outer.commit({});
    for (const each of [commit, relative]) {
      const files = await checkOut(folderOfTest(), outer.url, each, access);
      expect(readFileSync(join(files, "third/party/i"), "utf8")).toBe("pinned");
      expect(readFileSync(join(files, "third/party/lib/deepest/deep"), "utf8")).toBe("x");
      expect(existsSync(join(files, "third/party/.git"))).toBe(false);
    }
  });

  it.each([
    ["ext::sh -c 'touch /tmp/owned'", /has a space/],
    ["ext::touch", /starts programs/],
    ["--upload-pack=touch", /is no address of a git server/],
    ["http://example.com/a", /has the protocol http, and only https and ssh may be used/],
    ["ssh://-oProxyCommand=x/a", /has "-oproxycommand=x" for its host/],
    ["https://u:p@example.com/a", /has a password in it/],
  ])("refuse the address %s", async (url, message) => {
    const inner = repositoryOfTest();
    inner.commit({ i: "1" });
    const outer = repositoryOfTest();
    outer.commit({});
    git(outer.folder, "submodule", "--quiet", "add", inner.url, "sub");
    git(outer.folder, "config", "--file", ".gitmodules", "submodule.sub.url", url);
    const commit = outer.commit({});
    const refused = expect(checkOut(folderOfTest(), outer.url, commit, access)).rejects;
    await refused.toThrow(userErrorWith("code-invalid", `.gitmodules of ${outer.url} at ${commit}, sub`));
    await refused.toThrow(message);
    await refused.not.toThrow("u:p");
  });

  it("that .gitmodules does not know are refused by name", async () => {
    const inner = repositoryOfTest();
    inner.commit({ i: "1" });
    const outer = repositoryOfTest();
    git(outer.folder, "submodule", "--quiet", "add", inner.url, "sub");
    rmSync(join(outer.folder, ".gitmodules"));
    await expect(checkOut(folderOfTest(), outer.url, outer.commit({}), access)).rejects.toThrow(
      userErrorWith("code-invalid", "sub"),
    );
  });
});

describe("Git LFS", () => {
  const files = {
    ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n",
    "a.bin": "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
  };

  it.skipIf(!isLfsInstalled)("puts the files themselves in the place of its pointers", async () => {
    const repository = repositoryOfTest();
    git(repository.folder, "lfs", "install", "--local");
    const content = "large\n".repeat(1000);
    const commit = repository.commit({ ".gitattributes": files[".gitattributes"], "a.bin": content });
    expect(git(repository.folder, "cat-file", "blob", `${commit}:a.bin`)).toMatch(/^version https:\/\/git-lfs/);
    const folder = await checkOut(folderOfTest(), repository.url, commit, access);
    expect(readFileSync(join(folder, "a.bin"), "utf8")).toBe(content);
  });

  it("has its files where the repository says only as far as a repository could be there itself", async () => {
    const tools = folderOfTest();
    writeFileSync(join(tools, "git-lfs"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    const repository = repositoryOfTest();
    const commit = repository.commit({ ...files, ".lfsconfig": "[lfs]\nurl = http://169.254.169.254/\n" });
    const env = { PATH: `${tools}:${process.env["PATH"]}` };
    await expect(checkOut(folderOfTest(), repository.url, commit, { ...access, env })).rejects.toThrow(
      userErrorWith("code-invalid", `.lfsconfig of ${repository.url} at ${commit}, lfs.url`),
    );
  });

  it.skipIf(existsSync("/usr/bin/git-lfs"))("that is needed and not installed is named, with a file", async () => {
    const repository = repositoryOfTest();
    const commit = repository.commit(files);
    const bare = { ...access, env: { PATH: "/usr/bin:/bin" } };
    const refused = expect(checkOut(folderOfTest(), repository.url, commit, bare)).rejects;
    await refused.toThrow(userErrorWith("program-missing", "git-lfs"));
    await refused.toThrow("a.bin");
  });
});

describe("a branch", () => {
  it("is resolved to the commit it names now", async () => {
    const repository = repositoryOfTest();
    const first = repository.commit({ a: "1" });
    expect(await resolveBranch(repository.url, "main", access)).toBe(first);
    const second = repository.commit({ a: "2" });
    expect(await resolveBranch(repository.url, "main", access)).toBe(second);
  });

  it("that is not there is named beside those that are", async () => {
    const repository = repositoryOfTest();
    repository.commit({ a: "1" });
    git(repository.folder, "branch", "team/refs/heads/mine");
    const refused = expect(resolveBranch(repository.url, "maine", access)).rejects;
    await refused.toThrow(userErrorWith("git-not-found", "maine"));
    await refused.toThrow(/\(did you mean main\?\)\.\n.*main, team\/refs\/heads\/mine\.$/);
    await expect(resolveBranch(repository.url, "mine", access)).rejects.toThrow(userErrorWith("git-not-found", "mine"));
  });

  it("of a repository that is not there", async () => {
    const url = `file://${folderOfTest()}/none`;
    await expect(resolveBranch(url, "main", access)).rejects.toThrow(userErrorWith("git-not-found", url));
  });
});

describe("a path in the code", () => {
  it("must stay there, through links too", async () => {
    const folder = folderOfTest();
    const repository = repositoryOfTest();
    symlinkSync("/etc", join(repository.folder, "out"));
    symlinkSync("src", join(repository.folder, "in"));
    symlinkSync("loop", join(repository.folder, "loop"));
    const commit = repository.commit({ "src/a.py": "" });
    const root = await checkOut(folder, repository.url, commit, access);
    expect(lstatSync(join(root, "out")).isSymbolicLink()).toBe(true);
    const inside = (path: string) => resolveInside(root, path, "folder", "path_to_source");
    expect(await inside("in")).toBe(join(root, "src"));
    expect(await inside(".")).toBe(root);
    for (const path of ["out", "src/../..", "loop", "src/a.py", "gone"])
      await expect(inside(path)).rejects.toThrow(userErrorWith("code-invalid", path));
  });
});
