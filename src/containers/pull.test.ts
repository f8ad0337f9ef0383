import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";

/** A program that pulls with a login, by a client that never ends. */
function pulling() {
  const folder = mkdtempSync(join(tmpdir(), "slipway-pull-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const temporary = join(folder, "tmp");
  mkdirSync(temporary);
  const client = { name: "podman", path: join(folder, "podman") };
  writeFileSync(client.path, `#!/bin/sh\nls ${temporary}/*/auth.json >${folder}/seen\nexec sleep 1000\n`, {
    mode: 0o755,
  });
  const program = `import { pullImage } from ${JSON.stringify(join(import.meta.dirname, "pull.ts"))};
    const login = { username: "me", password: "hunter2" };
    await pullImage(${JSON.stringify(client)}, "registry.invalid/app:v1", login, process.env);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    env: { PATH: process.env["PATH"], HOME: folder, TMPDIR: temporary },
    stdio: "ignore",
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return { child, temporary, isPulling: () => existsSync(join(folder, "seen")) };
}

it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("leaves no login behind when %s ends it", async (signal) => {
  const { child, temporary, isPulling } = pulling();
  const ended = once(child, "exit");
  await expect.poll(isPulling, { timeout: 30_000 }).toBe(true);
  expect(readdirSync(temporary)).toHaveLength(1);
  child.kill(signal);
  expect(await ended).toEqual([null, signal]);
  expect(readdirSync(temporary)).toEqual([]);
});
