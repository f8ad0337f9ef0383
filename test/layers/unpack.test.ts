import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { contents, expected, folderIn, makeImage, makeLayer } from "./testdata/image.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "unpack-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

// A sandbox has no other users to whom files could be given.
describe("a layer", () => {
  it.each([
    ["GNU tar", "gzip", ["tar", "--extract", "--preserve-permissions", "--no-same-owner"]],
    ["GNU tar", "none", ["tar", "--extract", "--preserve-permissions", "--no-same-owner"]],
    ["bsdtar", "gzip", ["bsdtar", "-x", "-p", "--no-same-owner"]],
    ["bsdtar", "zstd", ["bsdtar", "-x", "-p", "--no-same-owner"]],
    ["bsdtar", "none", ["bsdtar", "-x", "-p", "--no-same-owner"]],
  ] as const)(
    "is unpacked by %s, compressed by %s, to what went in",
    async (_reader, compression, [program, ...words]) => {
      const layer = await makeLayer(folder, compression);
      const root = folderIn(folder, "root");
      // bsdtar writes names as the locale has them.
      execFileSync(program, [...words, "-f", layer, "-C", root], { env: { ...process.env, LC_ALL: "C.UTF-8" } });
      expect(contents(root)).toEqual(expected());
      expect(statSync(join(root, "app/zweiter")).ino).toBe(statSync(join(root, "app/large")).ino);
    },
  );

  it("is unpacked by umoci to what went in", async () => {
    await makeImage(folder, "gzip", "example/unpack:latest");
    const layout = join(folder, "layout");
    execFileSync("umoci", ["unpack", "--rootless", "--image", `${layout}:latest`, join(folder, "bundle")], {
      stdio: "pipe",
    });
    const root = join(folder, "bundle/rootfs");
    expect(contents(root)).toEqual(expected());
  });
});
