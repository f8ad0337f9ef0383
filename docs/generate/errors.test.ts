import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { errorCodes } from "../../src/core/error-codes.ts";
import { errorsPage } from "./errors.ts";

const codes = Object.keys(errorCodes);

/** The codes that a text has as string literals. */
function named(text: string): readonly string[] {
  return [...text.matchAll(/"([a-z]+(?:-[a-z]+)+)"/g)].map(([, literal = ""]) => literal);
}

function headings(page: string): readonly string[] {
  return [...page.matchAll(/^### (\S+)$/gm)].map(([, heading = ""]) => heading);
}

describe("every error code", () => {
  it("is used by a tool", () => {
    const sources = globSync("src/**/*.{ts,mts}").filter(
      (path) => !/\.test\.ts$|\/testdata\/|\/error-codes\.ts$/.test(path),
    );
    expect(sources.length).toBeGreaterThan(100);
    const used = new Set(sources.flatMap((path) => named(readFileSync(path, "utf8"))));
    expect(codes.filter((code) => !used.has(code))).toEqual([]);
  });

  it("has one heading on the page that is generated, and on the written one", () => {
    expect(headings(errorsPage())).toEqual(codes);
    expect(headings(readFileSync("docs/reference/errors.md", "utf8")), "tools/bazel run //docs:update").toEqual(codes);
  });
});
