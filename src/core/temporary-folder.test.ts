import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "./temporary-folder.ts";

it("is for its user alone, and goes when it is removed", () => {
  const { path, remove } = temporaryFolder("slipway-test-");
  expect(existsSync(path)).toBe(true);
  remove();
  expect(existsSync(path)).toBe(false);
});

it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("goes with its process by %s, which ends that", async (signal) => {
  const module = JSON.stringify(join(import.meta.dirname, "temporary-folder.ts"));
  const program = `import { temporaryFolder } from ${module}; console.log(temporaryFolder("slipway-test-").path); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const path = String(((await once(child.stdout, "data")) as [Buffer])[0]).trim();
  expect(existsSync(path)).toBe(true);
  const closed = once(child, "close");
  child.kill(signal);
  expect(await closed).toEqual([null, signal]);
  expect(existsSync(path)).toBe(false);
});
