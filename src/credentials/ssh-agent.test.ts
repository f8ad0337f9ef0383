import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { findExecutable } from "../core/executables.ts";
import { startSshAgent } from "./ssh-agent.ts";
import { Home } from "./testdata/home.ts";

const isInstalled = findExecutable("ssh-agent", process.env) !== undefined;

it.runIf(isInstalled)("an agent for a key ends when its owner is killed, and leaves no file", async () => {
  const key = join(new Home().folder, "key");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
  const program = join(import.meta.dirname, "testdata/ssh-session.ts");
  const owner = spawn(process.execPath, [program, key], { stdio: ["ignore", "pipe", "inherit"] });
  const [text] = (await once(owner.stdout.setEncoding("utf8"), "data")) as [string];
  const socket = text.trim();
  expect(existsSync(socket)).toBe(true);
  owner.kill("SIGKILL");
  await expect.poll(() => existsSync(dirname(socket))).toBe(false);
});

it.runIf(isInstalled).each([
  ["no key", "nothing\n", {}, /ssh-add ended with status/],
  ["no agent on PATH", "", { PATH: "/nowhere" }, /ssh-agent does not start/],
])("fails with %s", async (_, key, env, problem) => {
  await expect(startSshAgent(key, { ...process.env, ...env })).rejects.toThrow(problem);
});
