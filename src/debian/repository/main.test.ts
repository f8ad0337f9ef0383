import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatLock, parseLock } from "../lock.ts";
import type { DeclaredRequest } from "./check-request.ts";

const text = formatLock({
  suites: ["bookworm"],
  components: ["main"],
  architecture: "amd64",
  packages: ["dash"],
  excluded: [],
  snapshot: "20261122T110000Z",
  locked: [],
});

/** A copy of the sources without npm packages anywhere above: what a repository rule starts. */
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "rule-"));
  const source = (name: string) => new URL(`../../${name}`, import.meta.url);
  for (const name of ["core", "debian"])
    cpSync(source(name), join(folder, "src", name), { recursive: true, dereference: true });
  writeFileSync(join(folder, "a.lock"), text);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function run(...args: string[]) {
  const flags = ["--disable-warning=ExperimentalWarning", "--preserve-symlinks", "--preserve-symlinks-main"];
  return spawnSync(process.execPath, [...flags, "src/debian/repository/main.ts", ...args], {
    cwd: folder,
    encoding: "utf8",
  });
}

function prepare(declared: Partial<DeclaredRequest>) {
  const request: DeclaredRequest = { suite: "", components: [], architecture: "", packages: [], ...declared };
  return run("prepare", "a.lock", "images/a.lock", "https://mirror.example/debian/", JSON.stringify(request));
}

describe("the repository rule's tool", () => {
  it("reads the lock and finds the mirrors without any package", () => {
    const { stdout, stderr, status } = prepare({ suite: "bookworm", packages: ["dash"] });
    expect([status, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout)).toEqual({
      lock: JSON.parse(JSON.stringify(parseLock(text, "a.lock"))),
      mirrors: { debian: "https://mirror.example/debian" },
      archives: { debian: "https://snapshot.debian.org/archive/debian/20261122T110000Z" },
    });
  });

  it("says in a sentence what is wrong with what is declared", () => {
    const { stdout, stderr, status } = prepare({ suite: "trixie" });
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("\nRun: slipway image lock images/a.lock --suite trixie --component main");
    expect(stderr).toContain("[lock-outdated]");
  });

  it("says what could not be fetched when it makes a lock anew", () => {
    const own = new URL("../../../node_modules/xz-decompress", import.meta.url);
    cpSync(own, join(folder, "node_modules/xz-decompress"), { recursive: true, dereference: true });
    const { stdout, stderr, status } = run("relock", "a.lock", pathToFileURL(folder).href);
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/dists\/bookworm\/InRelease[\s\S]*\[repository-failed\]/);
  });
});
