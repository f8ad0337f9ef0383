import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ErrorCode } from "../core/error-codes.ts";
import { printed } from "../core/testdata/reported.ts";
import { commandLine, outcomeOf, run, start } from "./testdata/slipway.ts";

/** A folder with a job, and a home in it. */
function machine() {
  const cwd = mkdtempSync(join(tmpdir(), "slipway-disk-"));
  onTestFinished(() => rmSync(cwd, { recursive: true }));
  const home = join(cwd, "home");
  mkdirSync(home);
  const interpreter = { ServerAvailableInterpreter: { interpreter_path: "SLIPWAY_INTERPRETER" } };
  writeFileSync(join(cwd, "job.json"), JSON.stringify({ interpreter, command: ["/bin/true"] }));
  return { home, cwd, env: { HOME: home, PATH: process.env["PATH"], SLIPWAY_ENGINE: "container" } };
}

function mount(folder: string, options: string): void {
  execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder], { stdio: "ignore" });
}

/** Only root may mount, and not in every sandbox. */
function mayMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), "slipway-mount-"));
  try {
    mount(folder, "size=64k");
    execFileSync("umount", [folder]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe.runIf(mayMount())("a home", () => {
  const onDisk = (options: string) => {
    const place = machine();
    mount(place.home, options);
    onTestFinished(() => void execFileSync("umount", ["--lazy", place.home]));
    return place;
  };

  it.each<[string[], string]>([
    [["job", "run", "job.json"], "/home/.local/state/slipway/jobs/"],
    [["registry", "ls"], "/home/.local/state/slipway/registry/lock"],
    [["secret", "set", "a", "--file", "job.json"], "/home/.local/state/slipway/secrets/a"],
  ])("on a full disk: %j names path and operation", async (args, path) => {
    const place = onDisk("size=64k,mode=700");
    try {
      writeFileSync(join(place.home, "fill"), Buffer.alloc(1 << 20));
    } catch {
      // It is full now.
    }
    const outcome = await run(args, place);
    expect(outcome).toEqual({ out: "", error: printed("file-unwritable", path), status: 1 });
    expect(outcome.error).toMatch(/cannot be written: the disk is full \(ENOSPC, \w+\)\.\n.*\n$/);
  });

  it("that is read-only is named", async () => {
    const outcome = await run(["job", "run", "job.json"], onDisk("ro"));
    expect(outcome).toEqual({ out: "", error: printed("file-unwritable", "/home/.local"), status: 1 });
    expect(outcome.error).toMatch(/: the file system is read-only \(EROFS, mkdir\)\.\n.*\n$/);
  });
});

it.each([["job schema"], ["version"], ["--help"]])("says that standard output is full: %s", async (words) => {
  const [shell, script] = ["/bin/sh", 'exec "$@" > /dev/full'];
  const child = start([shell, "-c", script, "sh", ...commandLine, ...words.split(" ")], machine());
  const { error, status } = await outcomeOf(child);
  expect({ error, status }).toEqual({ error: printed("file-unwritable", "standard output"), status: 1 });
  expect(error.trimEnd().split("\n")).toHaveLength(2);
});

it.each<[string[], Record<string, string>, ErrorCode, string]>([
  [["registry", "ls"], { HOME: "me" }, "variable-invalid", "HOME is me"],
  [["job", "run", "/dev/zero"], {}, "file-invalid", "/dev/zero"],
  [["service", "render", "/dev/zero"], {}, "file-invalid", "/dev/zero"],
  [["image", "lock", "/dev/zero"], {}, "file-invalid", "/dev/zero"],
])("refuses %j with %j", async (args, change, code, culprit) => {
  const { cwd, env } = machine();
  expect(await run(args, { cwd, env: { ...env, ...change } })).toEqual({
    out: "",
    error: printed(code, culprit),
    status: 2,
  });
  expect(readdirSync(cwd).sort()).toEqual(["home", "job.json"]);
});
