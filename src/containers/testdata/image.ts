import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type ContainerClient, findContainerClient } from "../client.ts";

/** A folder with files of this machine, by their paths in it, and the libraries that they need. */
export function treeOf(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), "image-"));
  const put = (path: string, source: string) => {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    copyFileSync(source, join(root, path));
  };
  for (const [path, source] of Object.entries(files)) {
    put(path, source);
    const { stdout } = spawnSync("ldd", [source], { encoding: "utf8" });
    for (const library of stdout.match(/\/\S+(?= \()/g) ?? []) put(library, library);
  }
  for (const folder of ["etc", "tmp", "home/slipway"]) mkdirSync(join(root, folder), { recursive: true });
  return root;
}

/** The podman, or docker, of tests that Bazel runs only where it is set up for this user. */
export function installedClient(): ContainerClient {
  const search = findContainerClient(process.env);
  if ("client" in search) return search.client;
  throw new Error("This machine has neither podman nor docker for this user: `slipway doctor` says why.");
}

/**
 * Makes an image by hand: this Node with the libraries it needs, and the repository's sources, in which the program
 * `entry` starts.
 *
 * @param entry path in the repository; undefined makes Node itself the entry point
 */
export function makeImage(client: ContainerClient, entry?: string): { image: string; remove: () => void } {
  const root = treeOf({ "bin/node": process.execPath, "bin/echo": "/bin/echo" });
  chmodSync(join(root, "tmp"), 0o1777);
  writeFileSync(join(root, "etc/passwd"), "slipway:x:1000:1000::/home/slipway:/bin/sh\n");
  cpSync("src", join(root, "app/src"), { recursive: true, dereference: true });
  writeFileSync(join(root, "app/package.json"), '{"type":"module"}');

  const image = `localhost/slipway-test-${process.pid}-${Date.now()}:latest`;
  const entrypoint = JSON.stringify(["/bin/node", ...(entry === undefined ? [] : [`/app/${entry}`])]);
  const archive = `${root}.tar`;
  chmodSync(root, 0o755);
  const tar = (...args: string[]) => execFileSync("tar", ["-C", root, "-f", archive, ...args]);
  tar("-c", "--owner=0", "--group=0", "--exclude=./home", ".");
  tar("-r", "--owner=1000", "--group=1000", "./home");
  rmSync(root, { recursive: true });
  const changes = ["-c", `ENTRYPOINT ${entrypoint}`, "-c", "USER 1000:1000"];
  execFileSync(client.path, ["import", ...changes, archive, image], { stdio: "pipe" });
  rmSync(archive);
  return { image, remove: () => void spawnSync(client.path, ["rmi", "--force", image]) };
}
