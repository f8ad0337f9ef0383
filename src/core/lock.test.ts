import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { takeLock, waitForLock } from "./lock.ts";

function lockPath(): string {
  const folder = mkdtempSync(join(tmpdir(), "slipway-lock-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, "lock");
}

describe("waitForLock", () => {
  it("gets the lock once it is free, unless it is not wanted any more", async () => {
    const path = lockPath();
    const first = await waitForLock(path);
    const stop = new AbortController();
    const unwanted = waitForLock(path, stop.signal);
    const waiting = waitForLock(path);
    stop.abort(new Error("stopped"));
    await expect(unwanted).rejects.toMatchObject({ name: "AbortError" });
    first.release();
    (await waiting).release();
  });
});

describe("takeLock", () => {
  it("names the file that is no lock", () => {
    expect(() => takeLock("/dev/null/lock")).toThrow(expect.objectContaining({ path: "/dev/null/lock" }));
    expect(() => takeLock("a\0b")).toThrow(expect.objectContaining({ code: "ERR_INVALID_ARG_TYPE" }));
  });

  it("gives a lock to one at a time", () => {
    const path = lockPath();
    const lock = takeLock(path);
    expect(lock).toBeDefined();
    expect(takeLock(path)).toBeUndefined();
    lock?.release();
    const next = takeLock(path);
    expect(next).toBeDefined();
    next?.release();
  });

  it("takes over from a process that was killed", async () => {
    const path = lockPath();
    const module = join(import.meta.dirname, "lock.ts");
    const program = `
      (await import(${JSON.stringify(module)})).takeLock(process.argv[1]);
      console.log("held"); setInterval(() => {}, 1e6)`;
    const holder = spawn(process.execPath, ["--input-type=module", "-e", program, path], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(holder.stdout, "data");
    expect(takeLock(path)).toBeUndefined();
    holder.kill("SIGKILL");
    await once(holder, "exit");
    const lock = takeLock(path);
    expect(lock).toBeDefined();
    lock?.release();
  });
});
