import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { failureWith, userErrorWith } from "../core/testdata/reported.ts";
import type { GitAccess, GitPassword } from "./access.ts";
import { checkOut } from "./checkout.ts";
import { resolveBranch } from "./remote.ts";
import { folderOfTest, git } from "./testdata/git-repository.ts";
import { servedRepository } from "./testdata/git-server.ts";

/** A repository behind a server, and the way to it. */
async function served(options: Parameters<typeof servedRepository>[0] = {}) {
  const { repository, server, url } = await servedRepository(options);
  const env = { PATH: process.env["PATH"], GIT_SSL_CAINFO: server.certificate };
  const asked: string[] = [];
  const access = (password?: Omit<GitPassword, "source">): GitAccess => ({
    env,
    findPassword: async (url) => {
      asked.push(url);
      return password && { ...password, source: "file /secrets/git (for git HOST)" };
    },
  });
  return { repository, server, url, access, asked };
}

describe("a server over HTTPS", () => {
  it("that wants no password is never told one", async () => {
    const { repository, server, url, access, asked } = await served();
    const commit = repository.commit({ a: "1" });
    expect(await resolveBranch(url, "main", access({ username: "me", password: "hunter2" }))).toBe(commit);
    expect(readFileSync(join(await checkOut(folderOfTest(), url, commit, access()), "a"), "utf8")).toBe("1");
    expect(asked).toEqual([]);
    expect(server.requests.filter((line) => line.endsWith("password"))).toEqual([]);
  });

  it("gets the password when it asks, by the address with its path", async () => {
    const { repository, url, access, asked } = await served({ password: "hunter2" });
    const commit = repository.commit({ a: "1" });
    const right = access({ username: "me", password: "hunter2" });
    expect(await resolveBranch(url, "main", right)).toBe(commit);
    expect(await checkOut(folderOfTest(), url, commit, right)).toContain(commit);
    expect(new Set(asked)).toEqual(new Set([url]));
  });

  it("gets the password that `slipway credentials add` was told", async () => {
    const { repository, server, url } = await served({ password: "hunter2" });
    const commit = repository.commit({ a: "1" });
    const home = folderOfTest();
    const file = join(home, "secret");
    writeFileSync(file, "me\nhunter2\n");
    const source = { service: "git", url: server.url, source: { kind: "file", path: file } };
    mkdirSync(join(home, "slipway"));
    const store = JSON.stringify({ version: 1, credentials: [source] });
    writeFileSync(join(home, "slipway/credentials.json"), store, { mode: 0o600 });
    const env = { PATH: process.env["PATH"], GIT_SSL_CAINFO: server.certificate, XDG_CONFIG_HOME: home };
    expect(await resolveBranch(url, "main", { env })).toBe(commit);
  });

  it("that refuses the password, or wants one that is not there, is named with what to do", async () => {
    const { repository, url, access } = await served({ password: "hunter2" });
    repository.commit({ a: "1" });
    const refused = expect(resolveBranch(url, "main", access({ username: "me", password: "wrong" }))).rejects;
    await refused.toThrow(userErrorWith("git-login", url));
    await refused.toThrow("from file /secrets/git (for git HOST)");
    const unanswered = expect(resolveBranch(url, "main", access())).rejects;
    await unanswered.toThrow(userErrorWith("git-login", url));
    await unanswered.toThrow("`slipway credentials add --service git`");
  });

  it("is not asked again where a source of credentials fails", async () => {
    const { repository, url, access } = await served({ password: "hunter2" });
    repository.commit({ a: "1" });
    const broken = { ...access(), findPassword: () => Promise.reject(new Error("file /secrets/git cannot be read")) };
    await expect(resolveBranch(url, "main", broken)).rejects.toThrow("file /secrets/git cannot be read");
  });

  it("has its password in no file of the cache and in no argument or variable of git", async () => {
    const { repository, url, access } = await served({ password: "hunter2-secret" });
    const commit = repository.commit({ a: "1" });
    const tools = folderOfTest();
    const seen = join(tools, "seen");
    const real = git(tools, "--exec-path");
    // Stands in for git, notes all it was started with, and hands on.
    writeFileSync(
      join(tools, "git"),
      `#!/bin/sh\n{ printf '%s\\n' "$@"; env; } >> '${seen}'\nexec '${real}/git' "$@"\n`,
      { mode: 0o755 },
    );
    const right = access({ username: "me", password: "hunter2-secret" });
    const cache = folderOfTest();
    await checkOut(cache, url, commit, { ...right, env: { ...right.env, PATH: `${tools}:${process.env["PATH"]}` } });
    expect(readFileSync(seen, "utf8")).toContain("fetch");
    expect(readFileSync(seen, "utf8")).not.toContain("hunter2-secret");
    const files = readdirSync(cache, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const leaking = files.filter((entry) =>
      readFileSync(join(entry.parentPath, entry.name)).includes("hunter2-secret"),
    );
    expect(leaking).toEqual([]);
  });

  it("whose certificate nobody vouches for is refused", async () => {
    const { repository, url, access } = await served();
    repository.commit({ a: "1" });
    const env = { PATH: process.env["PATH"] };
    const refused = expect(resolveBranch(url, "main", { ...access(), env })).rejects;
    await refused.toThrow(userErrorWith("git-unreachable", url));
    await refused.toThrow("certificate");
  });

  it("that is not there is named", async () => {
    await expect(resolveBranch("https://localhost:1/a", "main", {})).rejects.toThrow(
      userErrorWith("git-unreachable", "https://localhost:1/a"),
    );
  });

  it("that gives no commit by its id gives it with all branches, after a shallow fetch too", async () => {
    const { repository, url, access } = await served({ version: 0 });
    const first = repository.commit({ a: "1" });
    const tip = repository.commit({ a: "2" });
    const cache = folderOfTest();
    expect(readFileSync(join(await checkOut(cache, url, tip, access()), "a"), "utf8")).toBe("2");
    // As a git leaves them that was killed.
    const [mirror = ""] = readdirSync(cache).filter((name) => /^[0-9a-f]{32}$/.test(name));
    const left = ["refs/heads/main.lock", "objects/pack/tmp_pack_x"].map((name) =>
      join(cache, mirror, "mirror.git", name),
    );
    for (const path of left) writeFileSync(path, "");
    expect(readFileSync(join(await checkOut(cache, url, first, access()), "a"), "utf8")).toBe("1");
    expect(left.filter((path) => existsSync(path))).toEqual([]);
    git(repository.folder, "reset", "--quiet", "--hard", first);
    const other = repository.commit({ a: "3" });
    expect(readFileSync(join(await checkOut(cache, url, other, access()), "a"), "utf8")).toBe("3");
    // What a forced push removed is still here for those who have it, and nowhere for others.
    expect(await checkOut(cache, url, tip, access())).toContain(tip);
    await expect(checkOut(folderOfTest(), url, tip, access())).rejects.toThrow(userErrorWith("git-not-found", tip));
  });

  it("gives one commit alone where it can", async () => {
    const { repository, url, access } = await served();
    const first = repository.commit({ a: "1" });
    repository.commit({ a: "2" });
    const cache = folderOfTest();
    const commit = repository.commit({ a: "3" });
    await checkOut(cache, url, commit, access());
    const [mirror = ""] = readdirSync(cache).filter((name) => /^[0-9a-f]{32}$/.test(name));
    expect(() => git(join(cache, mirror, "mirror.git"), "cat-file", "-e", first)).toThrow();
  });
});

describe("a server over SSH", () => {
  it("whose key is not known is refused with what to do", async () => {
    const tools = folderOfTest();
    const said = join(tools, "said");
    writeFileSync(
      join(tools, "ssh"),
      `#!/bin/sh\necho "$@" > '${said}'\necho 'No ED25519 host key is known for example.com and you have requested strict checking.' >&2\necho 'Host key verification failed.' >&2\nexit 255\n`,
      { mode: 0o755 },
    );
    const key = { kind: "ssh-key-file" as const, path: "/keys/it's mine", source: "SSH key /keys/it's mine" };
    const access = { env: { PATH: `${tools}:${process.env["PATH"]}` }, findKey: async () => key };
    const refused = expect(resolveBranch("git@example.com:team/app", "main", access)).rejects;
    await refused.toThrow(userErrorWith("git-unreachable", "git@example.com:team/app"));
    await refused.toThrow("~/.ssh/known_hosts");
    const words = readFileSync(said, "utf8");
    for (const part of ["BatchMode=yes", "StrictHostKeyChecking=yes", "-i /keys/it's mine", "IdentitiesOnly=yes"])
      expect(words).toContain(part);
  });

  it("gets a key that is no file from an agent, which ends with git", async () => {
    const tools = folderOfTest();
    const said = join(tools, "said");
    // Stands in for ssh, and shows what it could prove.
    const script = `#!/bin/sh\n{ echo "$SSH_AUTH_SOCK"; ssh-add -l; } > '${said}'\nexit 255\n`;
    writeFileSync(join(tools, "ssh"), script, { mode: 0o755 });
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "of-test", "-f", join(tools, "key")]);
    const key = {
      kind: "ssh-key" as const,
      key: readFileSync(join(tools, "key"), "utf8"),
      source: "AWS secret deploy",
    };
    const access = { env: { PATH: `${tools}:${process.env["PATH"]}` }, findKey: async () => key };
    await expect(resolveBranch("ssh://git@example.com/team/app", "main", access)).rejects.toThrow();
    const [socket = "", listed] = readFileSync(said, "utf8").split("\n");
    expect(listed).toMatch(/^256 SHA256:.* of-test \(ED25519\)$/);
    expect(existsSync(socket)).toBe(false);
  });

  it("leaves no agent behind when Slipway is killed", async () => {
    const tools = folderOfTest();
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(tools, "key")]);
    const program = join(import.meta.dirname, "./testdata/ssh-session.ts");
    const child = spawn(process.execPath, [program, join(tools, "key")], { stdio: ["ignore", "pipe", "inherit"] });
    const [socket] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
    expect(existsSync(socket)).toBe(true);
    child.kill("SIGKILL");
    await expect.poll(() => existsSync(socket)).toBe(false);
  });

  it("is told apart from an agent that is not there", async () => {
    const tools = folderOfTest();
    for (const name of ["git", "ssh-add"]) symlinkSync("/bin/true", join(tools, name));
    const key = { kind: "ssh-key" as const, key: "x", source: "AWS secret deploy" };
    const access = { env: { PATH: tools }, findKey: async () => key };
    const refused = expect(resolveBranch("git@example.com:a/b", "main", access)).rejects;
    await refused.toThrow(failureWith("credential-invalid", "AWS secret deploy"));
    await refused.toThrow("ssh-agent does not start");
  });

  it("that is given no usable key is told apart from one that refuses it", async () => {
    const key = {
      kind: "ssh-key" as const,
      key: "-----BEGIN OPENSSH PRIVATE KEY-----\nnothing\n",
      source: "AWS secret deploy",
    };
    const refused = expect(resolveBranch("git@example.com:a/b", "main", { findKey: async () => key })).rejects;
    await refused.toThrow(failureWith("credential-invalid", "AWS secret deploy"));
    await refused.toThrow("ssh-add ended with status");
  });
});

it("names git while a server is slow", { timeout: 60_000 }, async () => {
  const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  onTestFinished(() => said.mockRestore());
  const { repository, url, access } = await served();
  const commit = repository.commit({ a: "1" });
  const folder = folderOfTest();
  const slow = `#!/bin/sh\nwhile [ ! -e ${folder}/go ]; do sleep 0.1; done\nPATH=$OLD exec git "$@"\n`;
  writeFileSync(join(folder, "git"), slow.replace("$OLD", process.env["PATH"] ?? ""), { mode: 0o755 });
  const slowly = { ...access(), env: { ...access().env, PATH: `${folder}:${process.env["PATH"]}` } };
  const resolved = resolveBranch(url, "main", slowly);
  const words = /^slipway: Waiting for git ls-remote \(\d+ s\)\n/;
  await expect
    .poll(() => said.mock.calls.filter(([text]) => words.test(String(text))).length, { timeout: 20_000 })
    .toBe(2);
  writeFileSync(join(folder, "go"), "");
  expect(await resolved).toBe(commit);
});
