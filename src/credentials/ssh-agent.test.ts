import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { findExecutable } from "../core/executables.ts";
import { startSshAgent } from "./ssh-agent.ts";
import { Home } from "./testdata/home.ts";

const isInstalled = findExecutable("ssh-agent", process.env) !== undefined;

async function ownedAgent() {
  const key = join(new Home().folder, "key");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
  const program = join(import.meta.dirname, "testdata/ssh-session.ts");
  const owner = spawn(process.execPath, [program, key], { stdio: ["ignore", "pipe", "inherit"], detached: true });
  const [text] = (await once(owner.stdout.setEncoding("utf8"), "data")) as [string];
  return { owner: owner.pid as number, socket: text.trim() };
}

function connects(socket: string): Promise<boolean> {
  const connection = connect(socket);
  return once(connection, "connect")
    .then(
      () => true,
      () => false,
    )
    .finally(() => connection.destroy());
}

it.runIf(isInstalled).each([
  ["its owner is killed", "SIGKILL", 1],
  ["its owner is interrupted", "SIGINT", 1],
  ["the terminal ends the owner's process group", "SIGTERM", -1],
] as const)("an agent for a key ends when %s, and leaves no file", async (_, signal, sign) => {
  const { owner, socket } = await ownedAgent();
  const agents = () => execFileSync("ps", ["-Ao", "args="], { encoding: "utf8" }).includes(socket);
  expect([existsSync(socket), agents()]).toEqual([true, true]);
  process.kill(sign * owner, signal);
  await expect.poll(() => existsSync(dirname(socket))).toBe(false);
  await expect.poll(agents).toBe(false);
});

it.runIf(isInstalled)("an agent ends when what guards it is killed", { timeout: 30_000 }, async () => {
  const { owner, socket } = await ownedAgent();
  const lines = execFileSync("ps", ["-Ao", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n");
  const guards = lines.map((line) => line.trim().split(/\s+/).map(Number)).filter(([, parent]) => parent === owner);
  for (const [pid] of guards) process.kill(pid as number, "SIGKILL");
  // The agent looks for its parent every 10 seconds.
  await expect.poll(() => connects(socket), { timeout: 20_000 }).toBe(false);
  process.kill(owner);
});

it.runIf(isInstalled).each([
  ["no key", "nothing\n", {}, /ssh-add ended with status/],
  ["no agent on PATH", "", { PATH: "/nowhere" }, /ssh-agent does not start/],
])("fails with %s", async (_, key, env, problem) => {
  await expect(startSshAgent(key, { ...process.env, ...env })).rejects.toThrow(problem);
});
