import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, it } from "vitest";
import { spdx } from "./spdx.ts";
import { imageContents } from "./testdata/contents.ts";

const folder = mkdtempSync(join(process.env["TEST_TMPDIR"] ?? tmpdir(), "spdx-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Validates a document with the reference validator, which fails with a list of what is wrong. */
function validate(document: string): void {
  const file = join(folder, "image.spdx.json");
  writeFileSync(file, document);
  execFileSync("pyspdxtools", ["--infile", file, "--version", "SPDX-2.3"], { stdio: ["ignore", "pipe", "pipe"] });
}

it("is valid by the reference validator", () => {
  fc.assert(
    fc.property(imageContents, fc.array(imageContents, { minLength: 30, maxLength: 30 }), (contents, others) => {
      validate(spdx.format({ ...contents, layers: others.flatMap(({ layers }) => layers) }));
    }),
    // It takes a second to start.
    { numRuns: 3, endOnFailure: true },
  );
});

it("finds a document with an unknown licence to be invalid", () => {
  const layers = [
    { digest: `sha256:${"0".repeat(64)}`, packages: [{ type: "npm", name: "a", version: "1", license: "MIT" }] },
  ] as const;
  const document = spdx.format({ name: "app", digest: layers[0].digest, layers });
  validate(document);
  expect(() => validate(document.replace('"MIT"', '"LicenseRef-MIT"'))).toThrow(/license_expression/);
});
