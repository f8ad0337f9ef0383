import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { takeLock } from "../../core/lock.ts";
import { makeRegistryFolders } from "./paths.ts";
import { stateOfTest } from "./testdata/fixture.ts";

describe("takeLock", () => {
  it("gives a lock to one at a time", async () => {
    const { paths } = await stateOfTest();
    await makeRegistryFolders(paths);
    const lock = takeLock(paths.lock);
    expect(lock).toBeDefined();
    expect(takeLock(paths.lock)).toBeUndefined();
    lock?.release();
    const next = takeLock(paths.lock);
    expect(next).toBeDefined();
    next?.release();
  });

  it("takes over from a process that was killed", async () => {
    const { paths } = await stateOfTest();
    await makeRegistryFolders(paths);
    const module = join(import.meta.dirname, "../../core/lock.ts");
    const holder = spawn(
      process.execPath,
      [
        "--input-type=module",
        "-e",
        `(await import(${JSON.stringify(module)})).takeLock(process.argv[1]); console.log("held"); setInterval(() => {}, 1e6)`,
        paths.lock,
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    await once(holder.stdout, "data");
    expect(takeLock(paths.lock)).toBeUndefined();
    holder.kill("SIGKILL");
    await once(holder, "exit");
    const lock = takeLock(paths.lock);
    expect(lock).toBeDefined();
    lock?.release();
  });
});
