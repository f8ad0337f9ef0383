import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, it, onTestFinished } from "vitest";
import { Target } from "./testdata/target.ts";

/** A layer with one file. */
function layer(folder: string, name: string, content: Uint8Array | string): Buffer {
  writeFileSync(join(folder, name), content);
  return gzipSync(execFileSync("tar", ["-c", "-C", folder, name], { maxBuffer: 1 << 24 }));
}

it("podman gets what it lacks of an image, and has the whole image then", async () => {
  const target = new Target("load");
  const { PATH = "", HOME = "", XDG_RUNTIME_DIR = "" } = process.env;
  const podman = (...args: string[]) =>
    execFileSync("podman", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

  // A podman that keeps what it is given to load, before it becomes the real one.
  const bin = join(target.folder, "bin");
  const loaded = join(target.folder, "loaded.tar");
  mkdirSync(bin);
  const real = execFileSync("sh", ["-c", "command -v podman"], { encoding: "utf8" }).trim();
  const spy = `#!/bin/sh\n[ "$1" != load ] || { cat >'${loaded}' && exec '${real}' load <'${loaded}'; }\nexec '${real}' "$@"\n`;
  writeFileSync(join(bin, "podman"), spy, { mode: 0o755 });
  const env = { PATH: `${bin}:${PATH}`, HOME, XDG_RUNTIME_DIR };

  const repository = `localhost/slipway-test/load-${process.pid}`;
  onTestFinished(() => void podman("image", "rm", "--force", `${repository}:t_default`, `${repository}:t_next`));
  const large = layer(target.folder, "large", randomBytes(2_000_000));
  target.image({ repository, layers: [large, layer(target.folder, "program", "one\n")] });
  expect(await target.run([], env)).toMatchObject({ status: 0, stdout: `${repository}:t_default\n` });
  expect(statSync(loaded).size).toBeGreaterThan(2_000_000);

  target.images.length = 0;
  target.image({ tag: "next", repository, layers: [large, layer(target.folder, "program", "two\n")] });
  expect(await target.run([], env)).toMatchObject({ status: 0, stdout: `${repository}:t_next\n` });
  expect(statSync(loaded).size).toBeLessThan(100_000);

  const container = podman("create", `${repository}:t_next`, "/program").trim();
  onTestFinished(() => void podman("rm", "--force", container));
  for (const name of ["large", "program"]) {
    podman("cp", `${container}:/${name}`, join(target.folder, `copied-${name}`));
    const content = readFileSync(join(target.folder, `copied-${name}`));
    expect(content.equals(readFileSync(join(target.folder, name)))).toBe(true);
  }
});
