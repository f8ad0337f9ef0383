import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../core/testdata/folder.ts";
import { failureWith } from "../core/testdata/reported.ts";
import { header } from "../layer/header.ts";
import { openDeb } from "./deb.ts";
import { parseParagraphs } from "./deb822.ts";
import { indexTar } from "./tar-index.ts";
import { testAr, testDeb, testTar } from "./testdata/packages.ts";

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

function open(bytes: Buffer) {
  writeFileSync(join(folder, "a.deb"), bytes);
  return openDeb(join(folder, "a.deb"), join(folder, "data.tar"));
}

const entry = header({ type: "file", path: "a", content: { bytes: Buffer.alloc(0) } }, 0);

/** GNU's long name, of so many bytes, for the next entry. */
function longName(size: number): Buffer {
  const block = header({ type: "file", path: "././@LongLink", content: { bytes: Buffer.alloc(0) } }, size);
  block.write("L", 156);
  block.fill(" ", 148, 156);
  const sum = block.reduce((all, byte) => all + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([block, Buffer.alloc(size, "x")]);
}

// "hello\n" in a tar, by `xz -9`: the compression that Debian's own packages have.
const XZ_DATA = Buffer.from(readFileSync(new URL("./testdata/hello.tar.xz.base64", import.meta.url), "utf8"), "base64");

/** The .xz file format 1.2, section 3.1: the header of the first block has a CRC32 in its last bytes. */
function withDictionary(xz: Buffer, bits: number): Buffer {
  const [start, size] = [12, ((xz[12] ?? 0) + 1) * 4];
  xz[xz.indexOf(Buffer.from([0x21, 1]), start) + 2] = bits;
  xz.writeUInt32LE(crc32(xz.subarray(start, start + size - 4)), start + size - 4);
  return xz;
}

describe("openDeb", () => {
  it.each(["", ".gz", ".zst"] as const)("reads members compressed as %j", async (compression) => {
    const deb = testDeb("a", [{ path: "usr/bin/a", content: "hello", mode: 0o4755, uid: 1, gid: 2 }], {
      compression,
      control: "Depends: b\n",
      scripts: { postinst: "#!/bin/sh\n" },
    });
    const opened = await open(deb);
    expect(opened.name).toBe("a");
    expect(opened.control.get("depends")).toBe("b");
    expect(opened.controlFiles.get("postinst")).toBe("#!/bin/sh\n");
    const [entry] = opened.entries;
    expect(entry).toMatchObject({ path: "usr/bin/a", type: "file", mode: 0o4755, uid: 1, gid: 2, size: 5 });
    const { offset = 0 } = entry ?? {};
    expect(readFileSync(opened.dataPath).toString("utf8", offset, offset + 5)).toBe("hello");
  });

  it("reads members compressed by xz", async () => {
    const deb = testAr({
      "debian-binary": Buffer.from("2.0\n"),
      "control.tar": testTar([{ path: "control", content: "Package: a\n" }]),
      "data.tar.xz": XZ_DATA,
    });
    const opened = await open(deb);
    const [entry] = opened.entries.filter(({ type }) => type === "file");
    expect(entry).toMatchObject({ path: "hello", size: 6 });
    expect(readFileSync(opened.dataPath).toString("utf8", entry?.offset, (entry?.offset ?? 0) + 6)).toBe("hello\n");
  });

  it.each<[string, (xz: Buffer) => Buffer]>([
    ["needs a dictionary of 1.5 GiB", (xz) => withDictionary(xz, 37)],
    ["is cut short", (xz) => xz.subarray(0, 60)],
    ["is empty", () => Buffer.from("\n")],
  ])("refuses xz that %s, by name", async (_, change) => {
    const deb = testAr({
      "debian-binary": Buffer.from("2.0\n"),
      "control.tar": testTar([{ path: "control", content: "Package: a\n" }]),
      "data.tar.xz": change(Buffer.from(XZ_DATA)),
    });
    await expect(open(deb)).rejects.toThrow(failureWith("file-invalid", "data.tar.xz"));
  });

  it("reads long names, links and folders", async () => {
    const long = `usr/share/${"x".repeat(120)}/${"y".repeat(130)}`;
    const opened = await open(
      testDeb("a", [
        { path: "usr/share", type: "directory", mode: 0o2775 },
        { path: long, content: "1" },
        { path: "usr/link", type: "symlink", target: `../${"z".repeat(200)}` },
        { path: "usr/hard", type: "hardlink", target: long },
      ]),
    );
    expect(opened.entries.map(({ path, type, target }) => [path, type, target])).toEqual([
      ["usr/share", "directory", ""],
      [long, "file", ""],
      ["usr/link", "symlink", `../${"z".repeat(200)}`],
      ["usr/hard", "hardlink", long],
    ]);
  });

  it.each([
    ["a file", { path: "../../x" }],
    ["a file below a folder", { path: "usr/lib/python3/../../../../x.py" }],
    ["a hard link", { path: "x", type: "hardlink", target: "../etc/passwd" }],
  ] as const)("refuses %s that leads out of the package", async (_, entry) => {
    const error = await open(testDeb("a", [entry])).catch((error: unknown) => error);
    expect(error).toMatchObject({ code: "file-invalid" });
  });

  it("refuses data that takes more than the limit of the disk, naming the member", async () => {
    const deb = testDeb("a", [{ path: "a", content: Buffer.alloc(1 << 20) }]);
    writeFileSync(join(folder, "a.deb"), deb);
    const opened = openDeb(join(folder, "a.deb"), join(folder, "data.tar"), 1 << 20);
    await expect(opened).rejects.toThrow(failureWith("file-invalid", /a\.deb: data\.tar\.gz$/));
    expect(statSync(join(folder, "data.tar")).size).toBeLessThanOrEqual(1 << 20);
  });

  it.each<[string, number, Buffer]>([
    ["a name of 2 MiB", 1, Buffer.concat([longName(2 << 20), entry])],
    ["a million entries", 1_000_000, entry],
    ["entries with names of 100 MiB in all", 100, Buffer.concat([longName(1 << 20), entry])],
  ])("refuses %s", async (_, count, blocks) => {
    const file = {
      stat: async () => ({ size: count * blocks.length }),
      read: async (buffer: Buffer, at: number, size: number, position: number) => {
        const from = position % blocks.length;
        return { buffer, bytesRead: blocks.copy(buffer, at, from, from + size) };
      },
    };
    await expect(indexTar(file, "data.tar")).rejects.toThrow(failureWith("file-invalid", "data.tar"));
  });

  it.each([
    "Package: ../../../../etc/cron.d/x",
    "Package: a\nMulti-Arch: same\nArchitecture: ../../../../../etc/x",
    "Package: a/b",
    "Package: ",
    "Package: a\u001b[2J",
    "Package: a\0b",
    "Package: a\n b",
    `Package: ${"a".repeat(5000)}`,
  ])("refuses a control file whose %j would become a path of dpkg's database", async (control) => {
    const deb = testAr({
      "debian-binary": Buffer.from("2.0\n"),
      "control.tar": testTar([{ path: "control", content: `${control}\n` }]),
      "data.tar": testTar([]),
    });
    await expect(open(deb)).rejects.toThrow(failureWith("file-invalid", /a\.deb$/));
  });

  it("refuses a control file that names other packages too, which dpkg would list", async () => {
    const control = "Description: a\n\nPackage: openssl\nVersion: 99\n";
    const error = await open(testDeb("a", [], { control })).catch((error: unknown) => error);
    expect(error).toMatchObject({ code: "file-invalid" });
  });

  it("refuses what is no package, naming it", async () => {
    const control = (content: string) => ({ "control.tar": testTar([{ path: "control", content }]) });
    const nameless = testAr({ ...control("Version: 1\n"), "data.tar": testTar([]) });
    for (const bytes of [Buffer.from("<html>"), testAr({ "debian-binary": Buffer.from("2.0\n") }), nameless]) {
      await expect(open(bytes)).rejects.toThrow(failureWith("file-invalid", /a\.deb$/));
    }
    const old = testAr({ ...control("Package: a\n"), "data.tar.bz2": Buffer.from("BZh") });
    await expect(open(old)).rejects.toThrow(failureWith("file-invalid", "data.tar.bz2"));
  });

  it("refuses a package that is cut short or changed anywhere in its structure", async () => {
    const deb = testDeb("a", [{ path: "usr/bin/a", content: "x".repeat(2000) }], { compression: "" });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: deb.length - 1 }), async (length) => {
        // What ends exactly behind a member's content is a shorter archive; the last member is then missing, or the
        // same.
        const whole = await open(deb.subarray(0, length)).then(
          ({ entries }) => entries.length,
          () => 0,
        );
        expect(whole).toBe(0);
      }),
      { numRuns: 50 },
    );
    const header = deb.indexOf("./usr/bin/a");
    const changed = Buffer.from(deb);
    changed[header + 3] = 0x58;
    await expect(open(changed)).rejects.toThrow(failureWith("file-invalid", /a\.deb: data\.tar$/));
  });
});

describe("parseParagraphs", () => {
  it("reads fields, continuations and comments", () => {
    const text = "A: 1\nb: two\n more\n\tstill\n# comment\nC:3\n\n\nA: 2\n";
    expect([...parseParagraphs(text)].map((paragraph) => Object.fromEntries(paragraph))).toEqual([
      { a: "1", b: "two\n more\n\tstill", c: "3" },
      { a: "2" },
    ]);
  });
});
