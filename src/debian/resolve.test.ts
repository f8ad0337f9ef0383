import { describe, expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { PackageIndex } from "./package-index.ts";
import { parseRelations } from "./relation.ts";
import { resolveClosure } from "./resolve.ts";

function index(...paragraphs: readonly string[]): PackageIndex {
  const result = new PackageIndex();
  const complete = paragraphs.map((paragraph) => {
    const name = /^Package: (\S+)/.exec(paragraph)?.[1];
    const version = /\nVersion: (\S+)/.exec(paragraph)?.[1] ?? "1";
    const rest = paragraph.includes("\nVersion:") ? "" : "\nVersion: 1";
    return `${paragraph}${rest}\nFilename: pool/${name}_${version}.deb\nSize: 1\nSHA256: ${"0".repeat(64)}\n`;
  });
  result.add(complete.join("\n"), "debian");
  return result;
}

const names = (packages: PackageIndex, roots: readonly string[], excluded: readonly string[] = []) =>
  resolveClosure(packages, roots, new Set(excluded)).map(({ name }) => name);

describe("parseRelations", () => {
  it("reads alternatives, versions, architectures and qualifiers", () => {
    expect(parseRelations("a (>= 1:2.0), b:any | c [amd64],\n d (<1)")).toEqual([
      [{ name: "a", operator: ">=", version: "1:2.0" }],
      [{ name: "b" }, { name: "c" }],
      [{ name: "d", operator: "<=", version: "1" }],
    ]);
    expect(parseRelations(undefined)).toEqual([]);
  });
});

describe("resolveClosure", () => {
  it("follows Depends and Pre-Depends, circles included", () => {
    const packages = index(
      "Package: a\nDepends: b, c",
      "Package: b\nPre-Depends: d",
      "Package: c\nDepends: a",
      "Package: d",
      "Package: e",
    );
    expect(names(packages, ["a"])).toEqual(["a", "b", "c", "d"]);
  });

  it("takes the newest version that suites offer", () => {
    const packages = index("Package: a\nVersion: 1.9", "Package: a\nVersion: 1.10", "Package: a\nVersion: 1.2");
    expect(resolveClosure(packages, ["a"])[0]?.version).toBe("1.10");
  });

  it("takes the first alternative that can be had, or the one that is there already", () => {
    const packages = index("Package: a\nDepends: none | b | c", "Package: b", "Package: c", "Package: d\nDepends: a");
    expect(names(packages, ["a"])).toEqual(["a", "b"]);
    expect(names(packages, ["c", "d"])).toEqual(["a", "c", "d"]);
    const versioned = index("Package: a\nDepends: b (>= 2) | c", "Package: b", "Package: c");
    expect(names(versioned, ["a"])).toEqual(["a", "c"]);
  });

  it("takes a provider of a virtual package by priority, then name", () => {
    const packages = index(
      "Package: a\nDepends: awk",
      "Package: gawk\nProvides: awk\nPriority: optional",
      "Package: mawk\nProvides: awk\nPriority: required",
      "Package: bawk\nProvides: awk\nPriority: optional",
    );
    expect(names(packages, ["a"])).toEqual(["a", "mawk"]);
    expect(names(packages, ["a", "gawk"])).toEqual(["a", "gawk"]);
    expect(() => names(packages, ["awk"])).toThrow(userErrorWith("package-not-found", "awk"));
  });

  it("asks a version of a provider that states one", () => {
    const packages = index("Package: a\nDepends: v (>= 2)", "Package: p\nProvides: v", "Package: q\nProvides: v (= 2)");
    expect(names(packages, ["a"])).toEqual(["a", "q"]);
  });

  it("counts what is excluded as present, also as provider and alternative", () => {
    const packages = index(
      "Package: a\nDepends: b, v, c | d",
      "Package: b\nDepends: e",
      "Package: p\nProvides: v",
      "Package: q\nProvides: v",
      "Package: c",
      "Package: d",
    );
    expect(names(packages, ["a"], ["b", "q", "d"])).toEqual(["a"]);
  });

  it("names the nearest package for one that is unknown", () => {
    const packages = index("Package: base-files", "Package: base-passwd");
    expect(() => names(packages, ["bsae-files"])).toThrow(/Did you mean base-files\?/);
    expect(() => names(packages, ["postgresql"])).toThrow(userErrorWith("package-not-found", "postgresql"));
  });

  it("names the chain that leads to a dependency that nothing satisfies", () => {
    const packages = index("Package: a\nDepends: b", "Package: b\nDepends: c (>= 2) | d", "Package: c");
    expect(() => names(packages, ["a"])).toThrow(/^a needs b needs c \(>= 2\) \| d, which no package/);
  });
});
