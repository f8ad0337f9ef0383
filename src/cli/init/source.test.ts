import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { userErrorWith } from "../../core/testdata/reported.ts";
import { findSource } from "./source.ts";

function folder(files: Readonly<Record<string, string>> = {}): string {
  const made = mkdtempSync(join(process.env["TEST_TMPDIR"] ?? tmpdir(), "source-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(made, name)), { recursive: true });
    writeFileSync(join(made, name), text);
  }
  return made;
}

function git(cwd: string, ...args: string[]): string {
  const env = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null" };
  const identity = ["-c", "user.name=a", "-c", "user.email=a@b"];
  return execFileSync("git", [...identity, ...args], { cwd, env, encoding: "utf8", stdio: "pipe" }).trim();
}

const slipway = { "MODULE.bazel": 'module(\n    name = "slipway",\n)\n' };

describe("the source of Slipway that a user names", () => {
  it("is a folder, from where the user is", async () => {
    const clone = folder(slipway);
    expect(await findSource(".", clone, {})).toContain(
      `local_path_override(\n    module_name = "slipway",\n    path = "${clone}",`,
    );
  });

  it("is an archive, whose digest and folder are read", async () => {
    const place = folder({ "slipway-9.8.7/MODULE.bazel": slipway["MODULE.bazel"] });
    execFileSync("tar", ["-czf", "release.tar.gz", "slipway-9.8.7"], { cwd: place });
    const bytes = readFileSync(join(place, "release.tar.gz"));
    const integrity = `sha256-${createHash("sha256").update(bytes).digest("base64")}`;
    const local = await findSource("release.tar.gz", place, {});
    expect(local).toContain(`urls = ["file://${place}/release.tar.gz"]`);
    const server = createServer((request, response) => {
      response.writeHead(request.url === "/a.tar.gz" ? 200 : 404).end(bytes);
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    try {
      const remote = await findSource(`http://127.0.0.1:${port}/a.tar.gz`, place, {});
      expect(remote).toContain(`urls = ["http://127.0.0.1:${port}/a.tar.gz"]`);
      for (const text of [local, remote]) {
        expect(text).toMatch(/^archive_override\(/);
        expect(text).toContain(`integrity = "${integrity}"`);
        expect(text).toContain('strip_prefix = "slipway-9.8.7"');
      }
      const absent = `http://127.0.0.1:${port}/b.tar.gz`;
      await expect(findSource(absent, place, {})).rejects.toThrow(userErrorWith("file-unreadable", absent));
    } finally {
      server.close();
    }
  });

  it("is a string of Starlark, whatever is in its name", async () => {
    const name = 'a "b\\é\t\u0001\u001b");print(1)#';
    const quoted = String.raw`a \"b\\é\011\001\033\");print(1)#`;
    const clone = folder({ [`${name}/MODULE.bazel`]: slipway["MODULE.bazel"] });
    expect(await findSource(name, clone, {})).toContain(`    path = "${clone}/${quoted}",\n`);
    execFileSync("tar", ["-czf", "release.tar.gz", name], { cwd: clone });
    expect(await findSource("release.tar.gz", clone, {})).toContain(`    strip_prefix = "${quoted}",\n`);
    const commit = "0".repeat(40);
    expect(await findSource(`https://a.example/${name}#${commit}`, "/", {})).toContain(`/${quoted}",\n`);
    const override = 'bazel_dep(name = "slipway")\nlocal_path_override(module_name = "slipway", path = "../x")\n';
    const inside = folder({ [`${name}/app/MODULE.bazel`]: override });
    const source = await findSource(undefined, "/", { BUILD_WORKSPACE_DIRECTORY: join(inside, name, "app") });
    expect(source).toContain(`path = "${inside}/${quoted}/x")`);
  });

  it("is a commit of a git repository", async () => {
    const commit = "0123456789".repeat(4);
    expect(await findSource(`https://example.com/a.git#${commit}`, "/", {})).toBe(
      `git_override(\n    module_name = "slipway",\n    commit = "${commit}",\n    remote = "https://example.com/a.git",\n)`,
    );
  });

  it.each([
    ["nothing", "command-line-invalid", "--from"],
    [".", "command-line-invalid", "--from"],
    ["file.txt", "file-unreadable", /file\.txt$/],
  ] as const)("is refused when it is not Slipway: %s", async (from, code, culprit) => {
    const place = folder({ "MODULE.bazel": 'module(name = "other")\n', "file.txt": "text" });
    await expect(findSource(from, place, {})).rejects.toThrow(userErrorWith(code, culprit));
  });
});

describe("the source of the Slipway that runs", () => {
  /** A clone of a repository at a URL, with a password in it. */
  function clone(): { readonly path: string; readonly commit: string } {
    const origin = folder(slipway);
    git(origin, "init", "--quiet");
    git(origin, "add", ".");
    git(origin, "commit", "--quiet", "--message=one");
    const path = join(folder(), "clone");
    git(dirname(path), "clone", "--quiet", origin, "clone");
    git(path, "remote", "set-url", "origin", "https://me:secret@example.com/slipway.git");
    return { path, commit: git(path, "rev-parse", "HEAD") };
  }
  const source = (workspace: string) => findSource(undefined, "/", { BUILD_WORKSPACE_DIRECTORY: workspace });

  it("is the commit that others can fetch, without the password to fetch it", async () => {
    const { path, commit } = clone();
    const text = await source(path);
    expect(text).toMatch(/^git_override\(/);
    expect(text).toContain(`commit = "${commit}"`);
    expect(text).toContain('remote = "https://example.com/slipway.git"');
  });

  it("is the folder of a clone with changes, with commits of its own, or of a repository on this machine", async () => {
    const changed = clone();
    writeFileSync(join(changed.path, "new.txt"), "");
    const committed = clone();
    git(committed.path, "commit", "--quiet", "--allow-empty", "--message=two");
    const local = clone();
    git(local.path, "remote", "set-url", "origin", local.path);
    for (const { path } of [changed, committed, local]) {
      expect(await source(path)).toContain(`path = "${path}"`);
    }
  });

  it("is the folder of an unpacked release", async () => {
    const release = folder({ "MODULE.bazel": 'module(\n    name = "slipway",\n    version = "9.8.7",\n)\n' });
    expect(await source(release)).toContain(
      `local_path_override(\n    module_name = "slipway",\n    path = "${release}",`,
    );
  });

  it("is that of the repository which runs it", async () => {
    const archive = 'archive_override(\n    module_name = "slipway",\n    urls = ["https://example.com/a.tar.gz"],\n)';
    const dep = 'bazel_dep(name = "slipway", version = "1")\n';
    expect(await source(folder({ "MODULE.bazel": `${dep}${archive}\n` }))).toBe(archive);
    expect(await source(folder({ "MODULE.bazel": dep }))).toBe("");
    const relative = folder({ "MODULE.bazel": `${dep}local_path_override(module_name = "slipway", path = "../x")\n` });
    expect(await source(relative)).toContain(`path = "${join(dirname(relative), "x")}"`);
  });

  it("is asked for where nothing says it", async () => {
    await expect(source(folder())).rejects.toThrow(userErrorWith("command-line-invalid", "--from"));
  });
});
