import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { lockedPackage } from "./npm-lock.ts";

const lock = `importers:

  .:
    devDependencies:
      '@team/tool':
        specifier: 1.2.3
        version: 1.2.3

packages:

  '@team/tool@1.2.3':
    resolution: {integrity: sha512-abc==}
    hasBin: true

  plain@2.0.0:
    resolution: {integrity: sha512-def}

  twice@1.0.0:
    resolution: {integrity: sha512-one}

  twice@2.0.0:
    resolution: {integrity: sha512-two}
`;

describe("a package in a lock", () => {
  it("has its version and digest", () => {
    expect(lockedPackage(lock, "@team/tool")).toEqual({ version: "1.2.3", integrity: "sha512-abc==" });
    expect(lockedPackage(lock, "plain")).toEqual({ version: "2.0.0", integrity: "sha512-def" });
  });

  it.each(["tool", "missing", "twice"])("is refused when it is not there exactly once: %s", (name) => {
    expect(() => lockedPackage(lock, name)).toThrow(name);
  });

  it.each(["@bazel/bazelisk", "@bazel/ibazel"])("%s is in this repository's lock, as package.json names it", (name) => {
    const { devDependencies } = JSON.parse(readFileSync("package.json", "utf8"));
    expect(lockedPackage(readFileSync("pnpm-lock.yaml", "utf8"), name)).toEqual({
      version: devDependencies[name],
      integrity: expect.stringMatching(/^sha512-.{86}==$/),
    });
  });
});
