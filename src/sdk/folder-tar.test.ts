import { spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { tarOf, unpackTar } from "./folder-tar.ts";
import { type DrawnEntry, drawnTar } from "./testdata/drawn-tar.ts";
import { folderOfTest } from "./testdata/files.ts";
import hostile from "./testdata/hostile-tars.json" with { type: "json" };

/** A folder with a file that must stay as it is, beside the place of a new folder. */
function placeOfTest() {
  const base = folderOfTest();
  const outside = join(base, "outside");
  mkdirSync(outside);
  writeFileSync(join(outside, "secret"), "secret");
  const before = treeOf(base);
  let last = 0;
  /** Unpacks, and looks at what came of it. Returns the problem. */
  const unpack = async (tar: Buffer) => {
    last += 1;
    const folder = join(base, `new${last}`);
    let problem = "";
    try {
      // In pieces that end anywhere.
      const pieces = Array.from({ length: Math.ceil(tar.length / 700) }, (_, i) =>
        tar.subarray(i * 700, i * 700 + 700),
      );
      await unpackTar(Readable.from(pieces), folder);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      problem = error.message;
    }
    const now = treeOf(base);
    for (const path of Object.keys(now)) if (/^new\d+(\/|$)/.test(path)) delete now[path];
    expect(now).toEqual(before);
    for (const path of existsSync(folder) ? Object.keys(treeOf(folder)) : []) {
      const full = join(folder, path);
      if (existsSync(full)) expect(`${realpathSync(full)}/`.startsWith(`${realpathSync(folder)}/`), path).toBe(true);
    }
    return { problem, folder };
  };
  return { outside, unpack };
}

/** Every path below a folder, with its kind and content. `readdir` itself follows links. */
function treeOf(folder: string, below = ""): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(join(folder, below)).sort()) {
    const path = join(below, name);
    const full = join(folder, path);
    const status = lstatSync(full);
    if (status.isSymbolicLink()) found[path] = `link ${readlinkSync(full)}`;
    else if (status.isFile()) found[path] = `file ${(status.mode & 0o100) > 0} ${readFileSync(full)}`;
    else found[path] = status.isDirectory() ? "folder" : "other";
    if (status.isDirectory()) Object.assign(found, treeOf(folder, path));
  }
  return found;
}

describe("a tar that a function made", () => {
  it.each(hostile.map((each) => [each.name, each] as const))("of %s", async (_, { entries, end, problem }) => {
    const { outside, unpack } = placeOfTest();
    expect((await unpack(drawnTar(entries as unknown as DrawnEntry[], outside, end))).problem).toBe(problem);
  });

  it("is taken only if the folder gives the same bytes again, and then others unpack the same", {
    timeout: 120_000,
  }, async () => {
    const { outside, unpack } = placeOfTest();
    let taken = 0;
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(drawnEntries, fc.option(fc.nat(), { freq: 1 }), async (entries, flip) => {
        const tar = drawnTar(entries, outside);
        if (flip !== null) {
          const at = flip % tar.length;
          tar[at] = (tar[at] as number) ^ (1 << (flip % 8));
        }
        const { problem, folder } = await unpack(tar);
        if (problem !== "") return rmSync(folder, { recursive: true });
        taken += 1;
        expect(Buffer.compare(await buffer(Readable.from(tarOf(folder))), tar)).toBe(0);
        const other = join(folderOfTest(), "other");
        mkdirSync(other);
        const { status } = spawnSync("tar", ["-xf", "-", "-C", other], { input: tar });
        if (status === 0) expect(treeOf(other)).toEqual(treeOf(folder));
        if (status === 0) compared += 1;
        for (const each of [other, folder]) rmSync(each, { recursive: true });
      }),
      { numRuns: 300, ...(process.env["SLIPWAY_TEST_SEED"] ? { seed: Number(process.env["SLIPWAY_TEST_SEED"]) } : {}) },
    );
    expect(taken).toBeGreaterThan(10);
    expect(compared).toBeGreaterThan(10);
  });

  it("of a long and deep tree is the same again", async () => {
    const folder = folderOfTest();
    const deep = join(folder, "tree", "ä".repeat(100), "b".repeat(200), "c".repeat(99));
    mkdirSync(deep, { recursive: true });
    writeFileSync(join(deep, "d".repeat(120)), "x".repeat(3_000_000), { mode: 0o755 });
    symlinkSync(`${"x/".repeat(80)}ü`, join(deep, "l"));
    const { unpack } = placeOfTest();
    const unpacked = await unpack(await buffer(Readable.from(tarOf(join(folder, "tree")))));
    expect(unpacked.problem).toBe("");
    expect(treeOf(unpacked.folder)).toEqual(treeOf(join(folder, "tree")));
  });

  it("is not made of a folder with a link that can lead out", async () => {
    for (const target of ["/etc/passwd", "..", "x/../../y", "a/.."]) {
      const folder = folderOfTest();
      symlinkSync(target, join(folder, "link"));
      const made = buffer(Readable.from(tarOf(folder)));
      await expect(made, target).rejects.toThrow(userErrorWith("file-unreadable", join(folder, "link")));
    }
  });
});

const names = fc.constantFrom("a", "b", "A", "c d", ".x", "-");
const hostilePaths = fc.constantFrom(
  "../outside/x",
  "a/../../outside/x",
  "OUTSIDE/x",
  "a/x",
  "b/x",
  ".",
  "",
  "a//b",
  "a/",
);
const hostileLinks = fc.constantFrom("../outside", "OUTSIDE", "a", "b", "..", ".", "a/..", "../..", "a/b/../../..", "");

/** Entries as {@link tarOf} orders them, some with a change or two. */
const drawnEntries = fc
  .record({
    tree: fc.array(fc.tuple(fc.array(names, { minLength: 1, maxLength: 3 }), fc.nat(3), hostileLinks)),
    changes: fc.array(
      fc.record({
        at: fc.nat(),
        kind: fc.nat(5),
        path: hostilePaths,
        link: hostileLinks,
        flag: fc.constantFrom(..."0123456gxLKS"),
      }),
      { maxLength: 2, size: "small" },
    ),
  })
  .map(({ tree, changes }) => {
    const known = new Map<string, DrawnEntry>();
    for (const [parts, kind, link] of tree) {
      const parents = parts.slice(0, -1).map((_, index) => parts.slice(0, index + 1).join("/"));
      if (parents.some((each) => (known.get(each)?.flag ?? "5") !== "5")) continue;
      for (const each of parents) known.set(each, { path: `${each}/`, flag: "5" });
      const path = parts.join("/");
      if (known.has(path)) continue;
      if (kind === 0) known.set(path, { path: `${path}/`, flag: "5" });
      else if (kind === 1) known.set(path, { path, flag: "2", link });
      else known.set(path, { path, content: "x".repeat(kind * 300), mode: kind === 2 ? 0o644 : 0o755 });
    }
    const key = (path: string) => path.replace(/\/$/, "").replaceAll("/", "\0");
    const entries = [...known.values()].sort((one, two) => (key(one.path) < key(two.path) ? -1 : 1));
    for (const { at, kind, path, link, flag } of changes) {
      const index = at % (entries.length + 1);
      const [entry] = entries.slice(index);
      if (kind === 0) entries.splice(index, 0, { path, content: "evil" });
      else if (kind === 1) entries.splice(index, 0, { path, flag: "2", link });
      else if (kind === 2) entries.splice(index, 0, { path: `${path}/`, flag: "5" });
      else if (entry === undefined) continue;
      else if (kind === 3) entries[index] = { ...entry, flag };
      else if (kind === 4) entries[index] = { ...entry, pax: [["path", path]] };
      else entries.splice(at % entries.length, 0, ...entries.splice(index, 1));
    }
    return entries;
  });
