import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { errorCodes } from "../../src/core/error-codes.ts";
import { errorsPage } from "./errors.ts";

const codes: readonly string[] = errorCodes;

/** The codes that a text has as string literals. */
function named(text: string): readonly string[] {
  return [...text.matchAll(/"([a-z]+(?:-[a-z]+)+)"/g)].map(([, literal = ""]) => literal);
}

function headings(page: string): readonly string[] {
  return [...page.matchAll(/^### (\S+)$/gm)].map(([, heading = ""]) => heading);
}

const sources = globSync("src/**/*.{ts,mts}")
  .filter((path) => !/\.test\.ts$|\/testdata\/|\/error-codes\.ts$/.test(path))
  .map((path) => readFileSync(path, "utf8"));

describe("every error code", () => {
  it("of a tool is in the catalogue", () => {
    const thrown = sources.flatMap((text) =>
      [...text.matchAll(/\bcode: "([a-z-]+)", culprit/g)].map(([, code = ""]) => code),
    );
    expect(thrown.length).toBeGreaterThan(100);
    expect(thrown.filter((code) => !codes.includes(code))).toEqual([]);
  });

  it("is used by a tool", () => {
    const used = new Set(sources.flatMap(named));
    expect(codes.filter((code) => !used.has(code))).toEqual([]);
  });

  it("has one heading on the page that is generated, and on the written one", () => {
    expect(headings(errorsPage())).toEqual(codes);
    expect(headings(readFileSync("docs/reference/errors.md", "utf8")), "tools/bazel run //docs:update").toEqual(codes);
  });
});
