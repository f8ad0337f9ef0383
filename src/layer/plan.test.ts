import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { printable } from "../core/printable.ts";
import { userErrorWith } from "../core/testdata/reported.ts";
import type { TarEntry } from "./entry.ts";
import { planEntries } from "./plan.ts";

const file = (path: string, source = `src/${path}`): TarEntry => ({ type: "file", path, content: { file: source } });
const directory = (path: string, mode = 0o755): TarEntry => ({ type: "directory", path, mode });
const symlink = (path: string, target: string): TarEntry => ({ type: "symlink", path, target });
const hardlink = (path: string, target: string): TarEntry => ({ type: "hardlink", path, target });
const paths = (entries: readonly TarEntry[]) => planEntries(entries).map((entry) => entry.path);

describe("planEntries", () => {
  it("puts the parents that are implied before what they hold", () => {
    expect(planEntries([file("a/b/c"), file("a/d")])).toEqual([
      { type: "directory", path: "a" },
      { type: "directory", path: "a/b" },
      file("a/b/c"),
      file("a/d"),
    ]);
  });

  it("keeps what is said about a directory", () => {
    expect(planEntries([file("tmp/x"), directory("tmp", 0o1777)])[0]).toEqual(directory("tmp", 0o1777));
  });

  it("sorts by the bytes of UTF-8, not by UTF-16 units", () => {
    expect(paths([file("\u{1F600}"), file("\uFFFD"), file("é"), file("z"), file("a.b"), file("a/b")])).toEqual([
      "a",
      "a.b",
      "a/b",
      "z",
      "é",
      "\uFFFD",
      "\u{1F600}",
    ]);
  });

  it("gives the same for the same entries in any order, sorted, each path once, parents first", () => {
    const part = fc.oneof(
      fc.constantFrom("a", "b", "c", "a.b", "é"),
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 3 }),
    );
    const component = part.filter((text) => !/[/\0]/.test(text) && text !== "." && text !== "..");
    const path = fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
    fc.assert(
      fc.property(fc.array(path, { maxLength: 20 }), (wanted) => {
        const files = wanted
          .filter((one) => !wanted.some((other) => other.startsWith(`${one}/`)))
          .map((one) => file(one));
        const planned = planEntries(files);
        expect(planEntries(files.toReversed())).toEqual(planned);
        const bytes = planned.map((entry) => Buffer.from(entry.path));
        for (let index = 1; index < bytes.length; index++) {
          expect(Buffer.compare(bytes[index - 1] as Buffer, bytes[index] as Buffer)).toBe(-1);
        }
        const seen = new Set([""]);
        for (const entry of planned) {
          expect(seen).toContain(entry.path.slice(0, Math.max(entry.path.lastIndexOf("/"), 0)));
          if (entry.type === "directory") seen.add(entry.path);
        }
      }),
    );
  });

  it("carries what is given twice once", () => {
    expect(
      paths([
        file("x"),
        file("x"),
        symlink("y", "x"),
        symlink("y", "x"),
        directory("d"),
        { type: "directory", path: "d" },
      ]),
    ).toEqual(["d", "x", "y"]);
  });

  it.each([
    [file("x", "one/x"), file("x", "two/x"), "/x would come from two places: the file one/x and the file two/x."],
    [symlink("x", "a"), symlink("x", "b"), "a symbolic link to a and a symbolic link to b"],
    [file("x", "one/x"), directory("x"), "the file one/x and a directory (mode 755, owner 0:0)"],
    [directory("x", 0o700), directory("x"), "a directory (mode 700, owner 0:0) and a directory (mode 755, owner 0:0)"],
  ])("names both when one path has two origins (%#)", (one, other, message) => {
    expect(() => planEntries([one, other])).toThrow(userErrorWith("layer-conflict", "/x"));
    expect(() => planEntries([one, other])).toThrow(message);
  });

  it("names both when something lies below what is no directory", () => {
    const conflict = () => planEntries([file("a/b", "one"), file("a/b/c/d", "two")]);
    expect(conflict).toThrow(userErrorWith("layer-conflict", "/a/b"));
    expect(conflict).toThrow("/a/b/c/d (the file two)");
    expect(() => planEntries([symlink("lib", "usr/lib"), file("lib/x", "two")])).toThrow(
      userErrorWith("layer-conflict", "/lib"),
    );
  });

  it.each(["", "/a", "a/", "a//b", "./a", "a/../b", "a\0b", "\uD800"])("refuses the path %j", (path) => {
    expect(() => planEntries([file(path, "source")])).toThrow(userErrorWith("layer-conflict", printable(`/${path}`)));
  });

  it("refuses links to nothing", () => {
    for (const link of [symlink("x", ""), hardlink("x", "y")])
      expect(() => planEntries([link])).toThrow(userErrorWith("layer-conflict", "/x"));
  });

  it("gives the content to the first of several names", () => {
    expect(planEntries([file("b", "content"), hardlink("a", "b"), hardlink("c", "b")])).toEqual([
      file("a", "content"),
      hardlink("b", "a"),
      hardlink("c", "a"),
    ]);
  });
});
