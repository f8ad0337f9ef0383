import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { contents, expected, folderIn, makeImage } from "./testdata/image.ts";

it.each(["gzip", "zstd"] as const)("podman unpacks a layer compressed by %s to what went in", async (compression) => {
  const folder = mkdtempSync(join(tmpdir(), "unpack-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const name = `localhost/slipway-test/unpack:${compression}-${process.pid}`;
  const podman = (...args: string[]) =>
    execFileSync("podman", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
  await makeImage(folder, compression, name);
  podman("load", "--input", join(folder, "image.tar"));
  onTestFinished(() => {
    podman("rmi", "--force", name);
  });
  const container = podman("create", name);
  onTestFinished(() => {
    podman("rm", "--force", container);
  });
  podman("export", "--output", join(folder, "exported.tar"), container);
  const root = folderIn(folder, "root");
  execFileSync("tar", [
    "--extract",
    "--preserve-permissions",
    "--file",
    join(folder, "exported.tar"),
    "--directory",
    root,
  ]);
  // podman adds folders in which it mounts; what is in the layer is as it was.
  const found = contents(root);
  for (const path of Object.keys(found)) {
    if (!/^(app|home)(\/|$)/.test(path)) delete found[path];
  }
  expect(found).toEqual(expected());
});
