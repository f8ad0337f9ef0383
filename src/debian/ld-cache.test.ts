import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../core/testdata/folder.ts";
import { type CacheEntry, compareLibraryNames, findLibraries, formatCache } from "./ld-cache.ts";
import { RootTree } from "./root-tree.ts";
import { testLibrary } from "./testdata/packages.ts";

describe("findLibraries", () => {
  it("finds libraries by SONAME and development links by name, in the order of ld.so.conf, each folder once", () => {
    const tree = new RootTree();
    tree.mergeUsr();
    tree.write("etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n# comment\n");
    tree.write("etc/ld.so.conf.d/b.conf", "/usr/lib/multi # again\n");
    tree.write("etc/ld.so.conf.d/a.conf", "/opt/lib\n/lib/multi\n");
    tree.write("etc/ld.so.conf.d/a.txt", "/nowhere\n");
    const library = (path: string, soname: string) => tree.write(path, testLibrary(soname));
    library("usr/lib/multi/libz.so.1.2.13", "libz.so.1");
    tree.symlink("usr/lib/multi/libz.so.1", "libz.so.1.2.13");
    tree.symlink("usr/lib/multi/libz.so.0", "libz.so.1.2.13");
    tree.symlink("usr/lib/multi/libz.so", "libz.so.1");
    library("opt/lib/libz.so.1", "libz.so.1");
    library("usr/lib/libx.so", "libx.so");
    library("usr/lib/multi/ld-linux.so.2", "ld-linux.so.2");
    library("usr/lib/multi/other.so", "other.so");
    library("usr/lib/multi/deeper/liby.so", "liby.so");
    tree.symlink("usr/lib/multi/libbroken.so", "missing");
    tree.write("usr/lib/multi/libscript.so", "GROUP ( libz.so.1 )\n");
    expect(findLibraries(tree).map(({ name, path }) => [name, path])).toEqual([
      ["libz.so.1", "/opt/lib/libz.so.1"],
      ["ld-linux.so.2", "/lib/multi/ld-linux.so.2"],
      ["libz.so", "/lib/multi/libz.so"],
      ["libz.so.1", "/lib/multi/libz.so.1"],
      ["libx.so", "/lib/libx.so"],
    ]);
  });

  it("knows the ABI of a library by its ELF header", () => {
    const tree = new RootTree();
    tree.mergeUsr();
    tree.write("usr/lib/liba.so", testLibrary("liba.so", 183));
    tree.write("usr/lib/libb.so", testLibrary("libb.so", 62));
    tree.write("usr/lib/libc.so", testLibrary("libc.so", 9999));
    expect(findLibraries(tree).map(({ name, flags }) => [name, flags])).toEqual([
      ["liba.so", 0x0a03],
      ["libb.so", 0x0303],
    ]);
  });
});

const name = fc.stringMatching(/^lib[a-z0-9._-]{0,8}\.so\.[0-9]{1,3}$/);

describe("the order of the cache", () => {
  it("is total, and takes numbers by value", () => {
    expect(["libz.so.10", "libz.so.9", "libzstd.so.1", "libz.so.1"].sort(compareLibraryNames)).toEqual([
      "libz.so.1",
      "libz.so.9",
      "libz.so.10",
      "libzstd.so.1",
    ]);
    fc.assert(
      fc.property(name, name, name, (a, b, c) => {
        expect(Math.sign(compareLibraryNames(a, b))).toBe(-Math.sign(compareLibraryNames(b, a)) || 0);
        const [low, , high] = [a, b, c].sort(compareLibraryNames) as [string, string, string];
        expect(compareLibraryNames(low, high)).toBeLessThanOrEqual(0);
      }),
    );
  });
});

const LDCONFIG = "/sbin/ldconfig";

describe.skipIf(!existsSync(LDCONFIG))("ldconfig", () => {
  it("reads the cache that was written", () => {
    const cache = join(temporaryFolder(), "cache");
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 20 }), (names) => {
        const entries: CacheEntry[] = names.map((name) => ({ name, flags: 0x0303, path: `/lib/x/${name}` }));
        writeFileSync(cache, formatCache(entries));
        const printed = execFileSync(LDCONFIG, ["-p", "-C", cache], { encoding: "utf8" });
        const lines = names.map((name) => `\t${name} (libc6,x86-64) => /lib/x/${name}`);
        expect(printed.split("\n").slice(1, -1).sort()).toEqual(lines.sort());
      }),
      { numRuns: 20 },
    );
  });
});
