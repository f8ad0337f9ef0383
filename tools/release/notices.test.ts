import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { userErrorWith } from "../../src/core/testdata/reported.ts";
import { notices } from "./notices.ts";

const root = mkdtempSync(join(process.env["TEST_TMPDIR"] ?? tmpdir(), "notices-"));

function write(files: Readonly<Record<string, string>>): string[] {
  return Object.entries(files).map(([name, text]) => {
    const path = join(root, "node_modules", name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  });
}

describe("the licenses of bundled packages", () => {
  const paths = write({
    "b/package.json": '{ "name": "b", "version": "2.0.0", "license": "MIT" }',
    "b/LICENSE": "Copyright B\n",
    "b/NOTICE": "B was here\n",
    "b/dist/package.json": '{ "type": "commonjs" }',
    "b/node_modules/@s/a/package.json": '{ "name": "@s/a", "version": "1.0.0", "license": "ISC" }',
  });

  it("are those of every package, nested ones too, in order, with their texts", () => {
    const rule = `\n\n${"-".repeat(80)}\n\n`;
    expect(notices(paths).split(rule)).toEqual([
      "Slipway's tools contain code of these packages.",
      "@s/a 1.0.0 (ISC)",
      "b 2.0.0 (MIT)\n\nCopyright B\n\nB was here\n",
    ]);
  });

  it("are missing of a package that has none", () => {
    const [path = ""] = write({ "c/package.json": '{ "name": "c", "version": "1.0.0" }' });
    expect(() => notices([path])).toThrow(userErrorWith("file-invalid", "c 1.0.0"));
  });
});
