import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../core/testdata/folder.ts";
import { failureWith, userErrorWith } from "../core/testdata/reported.ts";
import type { TarEntry } from "../layer/entry.ts";
import { openRootFilesystem } from "./root-filesystem.ts";
import { type TestFile, testDeb, testLibrary } from "./testdata/packages.ts";

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

const user = { name: "slipway", uid: 1000, gid: 1000, home: "/home/slipway", shell: "/bin/sh" };

type Packages = Readonly<Record<string, Buffer>>;

/** The root filesystem by path, contents read. */
async function root(packages: Packages, users = [user]): Promise<Map<string, TarEntry & { text: string }>> {
  const paths = Object.entries(packages).map(([name, bytes]) => {
    const path = join(folder, `${name}.deb`);
    writeFileSync(path, bytes);
    return path;
  });
  await using opened = await openRootFilesystem(paths, users, folder);
  return new Map(opened.entries.map((entry) => [entry.path, { ...entry, text: textOf(entry) }]));
}

function textOf(entry: TarEntry): string {
  if (entry.type !== "file") return "";
  if ("bytes" in entry.content) return Buffer.from(entry.content.bytes).toString("latin1");
  if (!("read" in entry.content)) throw new TypeError("no file outside is expected");
  const bytes = Buffer.alloc(entry.content.size);
  entry.content.read(bytes, 0);
  return bytes.toString("latin1");
}

const file = (path: string, content: string | Buffer = path): TestFile => ({ path, content, mode: 0o755 });

describe("openRootFilesystem", () => {
  it("refuses a package that names a path out of the image by an alternative", async () => {
    const postinst = "update-alternatives --install /usr/bin/b ../../../x /usr/bin/a 1\n";
    const deb = testDeb("a", [{ path: "usr/bin/a", content: "" }], { scripts: { postinst } });
    await expect(root({ a: deb })).rejects.toMatchObject({ code: "layer-conflict" });
  });

  it("keeps modes and owners, and puts what packages have in /bin, /lib and /lib64 below /usr", async () => {
    const tree = await root({
      a: testDeb("a", [
        { path: "bin", type: "directory", mode: 0o755 },
        { path: "bin/su", content: "su", mode: 0o4755, gid: 42 },
        { path: "bin/sh", type: "symlink", target: "su" },
        { path: "lib64/ld.so", type: "symlink", target: "/lib/ld.so" },
        { path: "var/local", type: "directory", mode: 0o2775, gid: 50 },
      ]),
    });
    expect(tree.get("usr/bin/su")).toMatchObject({ type: "file", mode: 0o4755, uid: 0, gid: 42, text: "su" });
    expect(tree.get("usr/bin/sh")).toMatchObject({ type: "symlink", target: "su" });
    expect(tree.get("var/local")).toMatchObject({ type: "directory", mode: 0o2775, gid: 50 });
    for (const name of ["bin", "sbin", "lib", "lib64"]) {
      expect(tree.get(name)).toMatchObject({ type: "symlink", target: `usr/${name}` });
    }
    expect(tree.has("lib32")).toBe(false);
    expect(tree.has("bin/su")).toBe(false);
  });

  it("accepts a package that has the links of a merged /usr itself", async () => {
    const tree = await root({
      a: testDeb("a", [{ path: "bin", type: "symlink", target: "usr/bin" }, file("usr/bin/a")]),
    });
    expect(tree.get("bin")).toMatchObject({ type: "symlink", target: "usr/bin" });
  });

  it("gives the same entries whatever the order of the packages", async () => {
    const a = testDeb("a", [{ path: "usr/share/d", type: "directory", mode: 0o700 }, file("usr/share/d/a")]);
    const b = testDeb("b", [{ path: "usr/share/d", type: "directory", mode: 0o755 }, file("usr/share/d/b")]);
    const sorted = (tree: Map<string, TarEntry & { text: string }>) =>
      [...tree.values()].map(({ path, mode, text }) => [path, mode, text]).sort();
    expect(sorted(await root({ b, a }))).toEqual(sorted(await root({ a, b })));
  });

  it("names the packages that have different files at one path", async () => {
    const one = testDeb("one", [file("bin/x", "1")]);
    await expect(root({ one, two: testDeb("two", [file("usr/bin/x", "2")]) })).rejects.toThrow(
      userErrorWith("layer-conflict", "/usr/bin/x"),
    );
    expect((await root({ one, two: testDeb("two", [file("usr/bin/x", "1")]) })).get("usr/bin/x")?.text).toBe("1");
    const heir = testDeb("two", [file("usr/bin/x", "2")], { control: "Replaces: one (<< 2)\n" });
    expect((await root({ one, heir })).get("usr/bin/x")?.text).toBe("2");
    await expect(root({ one, again: one })).rejects.toThrow(userErrorWith("layer-conflict", "one"));
  });

  it("leaves manuals, translations and documentation out, but not copyright files", async () => {
    const tree = await root({
      a: testDeb("a", [
        file("usr/share/doc/a/copyright"),
        file("usr/share/doc/a/changelog.gz"),
        file("usr/share/man/man1/a.1.gz"),
        file("usr/share/locale/de/LC_MESSAGES/a.mo"),
        { path: "usr/share/a", type: "hardlink", target: "usr/share/doc/a/changelog.gz" },
      ]),
    });
    expect(tree.has("usr/share/doc/a/copyright")).toBe(true);
    expect([...tree.keys()].filter((path) => /changelog|a\.1|\.mo$/.test(path))).toEqual([]);
    expect(tree.get("usr/share/a")).toMatchObject({ type: "file", text: "usr/share/doc/a/changelog.gz" });
  });

  it("links files that are hard links of each other", async () => {
    const tree = await root({
      a: testDeb("a", [file("bin/b", "content"), { path: "bin/a", type: "hardlink", target: "bin/b" }]),
    });
    expect(tree.get("usr/bin/a")).toMatchObject({ type: "hardlink", target: "usr/bin/b" });
  });

  it("makes accounts: those of base-passwd and the image's, all locked", async () => {
    const tree = await root({
      passwd: testDeb("base-passwd", [
        file(
          "usr/share/base-passwd/passwd.master",
          "root:*:0:0:root:/root:/bin/bash\ndaemon:*:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n",
        ),
        file("usr/share/base-passwd/group.master", "root:*:0:\nshadow:*:42:\n"),
      ]),
      dash: testDeb("dash", [file("bin/dash"), { path: "bin/sh", type: "symlink", target: "dash" }]),
    });
    expect(tree.get("etc/passwd")).toMatchObject({
      mode: 0o644,
      text:
        "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n" +
        "slipway:x:1000:1000:slipway:/home/slipway:/bin/sh\n",
    });
    expect(tree.get("etc/group")?.text).toBe("root:x:0:\nshadow:x:42:\nslipway:x:1000:\n");
    expect(tree.get("etc/shadow")).toMatchObject({ mode: 0o640, gid: 42 });
    for (const line of tree.get("etc/shadow")?.text.trimEnd().split("\n") ?? []) expect(line.split(":")[1]).toBe("!*");
    expect(tree.get("home/slipway")).toMatchObject({ type: "directory", mode: 0o755, uid: 1000, gid: 1000 });
  });

  it("makes the certificate bundle, its links and its list", async () => {
    const tree = await root({
      ca: testDeb("ca-certificates", [
        file("usr/share/ca-certificates/mozilla/B_(2).crt", "-B-"),
        file("usr/share/ca-certificates/mozilla/A.crt", "-A-\n"),
      ]),
    });
    expect(tree.get("etc/ssl/certs/ca-certificates.crt")).toMatchObject({ mode: 0o644, text: "-A-\n-B-\n" });
    expect(tree.get("etc/ssl/certs/B__2_.pem")).toMatchObject({
      target: "/usr/share/ca-certificates/mozilla/B_(2).crt",
    });
    expect(tree.get("etc/ca-certificates.conf")?.text).toBe("mozilla/A.crt\nmozilla/B_(2).crt\n");
  });

  it("makes alternatives by priority, with the slaves whose files are there", async () => {
    const postinst = (name: string, priority: number) => `#!/bin/sh
case "$1" in configure)
  update-alternatives --quiet --install /usr/bin/awk awk "/usr/bin/${name}" ${priority} \\
    --slave /usr/bin/nawk nawk /usr/bin/${name} \\
    --slave /usr/share/man/man1/awk.1.gz awk.1.gz /usr/share/man/man1/${name}.1.gz || true
  update-alternatives --install $LINK x /usr/bin/${name} 99
esac
`;
    const tree = await root({
      gawk: testDeb("gawk", [file("usr/bin/gawk")], { scripts: { postinst: postinst("gawk", 10) } }),
      mawk: testDeb("mawk", [file("bin/mawk")], { scripts: { postinst: postinst("mawk", 5) } }),
      none: testDeb("none", [], { scripts: { postinst: postinst("none", 50) } }),
    });
    expect(tree.get("usr/bin/awk")).toMatchObject({ type: "symlink", target: "/etc/alternatives/awk" });
    expect(tree.get("etc/alternatives/awk")).toMatchObject({ target: "/usr/bin/gawk" });
    expect(tree.get("etc/alternatives/nawk")).toMatchObject({ target: "/usr/bin/gawk" });
    expect([...tree.keys()].filter((path) => path.startsWith("etc/alternatives/"))).toHaveLength(2);
  });

  it("makes what base-files, libc-bin, tzdata and debianutils make", async () => {
    const tree = await root({
      base: testDeb("base-files", [file("usr/share/base-files/profile", "P"), { path: "var/run", type: "directory" }]),
      libc: testDeb("libc-bin", [file("usr/share/libc-bin/nsswitch.conf", "passwd: files\n")]),
      tz: testDeb("tzdata", [file("usr/share/zoneinfo/Etc/UTC")]),
      dash: testDeb("dash", [file("usr/share/debianutils/shells.d/dash", "/bin/dash\n")]),
    });
    expect(tree.get("etc/profile")?.text).toBe("P");
    expect(tree.get("etc/nsswitch.conf")?.text).toBe("passwd: files\n");
    expect(tree.get("etc/localtime")).toMatchObject({ target: "/usr/share/zoneinfo/Etc/UTC" });
    expect(tree.get("var/run")).toMatchObject({ type: "symlink", target: "/run" });
    expect(tree.get("tmp")).toMatchObject({ type: "directory", mode: 0o1777 });
    expect(tree.get("etc/shells")?.text).toContain("/bin/dash\n/usr/bin/dash\n");
  });

  it("makes dpkg's database", async () => {
    const tree = await root({
      a: testDeb("a", [file("etc/a.conf", "x\n"), file("usr/share/man/man1/a.1.gz")], {
        control: "Multi-Arch: same\nDepends: b\n",
        scripts: { conffiles: "/etc/a.conf\n", md5sums: "abc  usr/bin/a\n" },
      }),
      b: testDeb("b", []),
    });
    const status = tree.get("var/lib/dpkg/status")?.text ?? "";
    expect(status).toContain("Package: a\nStatus: install ok installed\nVersion: 1.0\n");
    expect(status).toContain("Conffiles:\n /etc/a.conf 401b30e3b8b5d629635a5c613cdb7919\n");
    expect(status).toContain("\n\nPackage: b\nStatus: install ok installed\n");
    expect(tree.get("var/lib/dpkg/info/a:amd64.list")?.text).toBe("/etc/a.conf\n/usr/share/man/man1/a.1.gz\n");
    expect(tree.get("var/lib/dpkg/info/a:amd64.md5sums")?.text).toBe("abc  usr/bin/a\n");
  });

  it("makes the loader's cache where there is a C library", async () => {
    const libc = testDeb("libc6", [
      file("lib/x86_64-linux-gnu/libc.so.6", testLibrary("libc.so.6")),
      file("etc/ld.so.conf.d/x86_64-linux-gnu.conf", "/lib/x86_64-linux-gnu\n"),
    ]);
    expect((await root({ libc })).get("etc/ld.so.cache")?.text).toMatch(/^glibc-ld\.so\.cache1\.1[\s\S]*libc\.so\.6\0/);
    expect(
      (await root({ a: testDeb("a", [file("lib/liba.so", testLibrary("liba.so"))]) })).has("etc/ld.so.cache"),
    ).toBe(false);
  });

  it("leaves no temporary file, also when it fails", async () => {
    const failing = root({ a: testDeb("a", []), b: Buffer.from("no") });
    await expect(failing).rejects.toThrow(failureWith("file-invalid", /b\.deb$/));
    await root({ a: testDeb("a", []) });
    expect(readdirSync(folder).filter((name) => !name.endsWith(".deb"))).toEqual([]);
  });
});

describe.skipIf(spawnSync("dpkg-query", ["--version"]).error)("dpkg", () => {
  it("understands the database", async () => {
    const tree = await root({
      a: testDeb("a", [file("etc/a.conf", "x\n")], { scripts: { conffiles: "/etc/a.conf\n" } }),
    });
    const admin = join(folder, "admin");
    for (const name of ["info", "updates"]) mkdirSync(join(admin, name), { recursive: true });
    for (const [path, { text, type }] of tree) {
      if (type === "file" && path.startsWith("var/lib/dpkg/"))
        writeFileSync(join(admin, path.slice("var/lib/dpkg/".length)), text, "latin1");
    }
    const query = (...args: string[]) =>
      execFileSync("dpkg-query", [`--admindir=${admin}`, ...args], { encoding: "utf8" });
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's own placeholders
    expect(query("-W", "-f", "${Package} ${Version} ${Status}")).toBe("a 1.0 install ok installed");
    expect(query("-L", "a")).toContain("/etc/a.conf");
  });
});
