import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { failureWith, userErrorWith } from "../core/testdata/reported.ts";
import type { CallsStart } from "../functions/program-protocol.ts";
import { openedHelper, openHelper } from "./helper.ts";

const image = `r.example.com/a@sha256:${"0".repeat(64)}`;

/**
 * A helper that waits for a program, here a process that does nothing, on a machine whose kubeconfig does not
 * exist.
 */
async function waitingHelper(): Promise<{ env: Record<string, string>; program: ChildProcess; helper: ChildProcess }> {
  const folder = mkdtempSync(join(tmpdir(), "serve-"));
  const socket = join(folder, "socket");
  const env = {
    HOME: folder,
    KUBECONFIG: "/absent",
    SLIPWAY_ENGINE: "kubernetes",
    SLIPWAY_CONTAINER_IMAGE: image,
    PATH: process.env["PATH"] ?? "",
  };
  const program = spawn("sleep", ["1000"], { stdio: "ignore" });
  // In Bazel's trees files are links, and packages are beside the links.
  const node = ["--preserve-symlinks", "--preserve-symlinks-main", "--disable-warning=ExperimentalWarning"];
  const words = [
    ...node,
    join(import.meta.dirname, "../functions/helper-main.ts"),
    "serve",
    socket,
    String(program.pid),
  ];
  const helper = spawn(process.execPath, words, { env, stdio: ["ignore", "ignore", "inherit"] });
  onTestFinished(() => {
    program.kill();
    helper.kill();
  });
  await vi.waitUntil(() => existsSync(socket), { timeout: 30_000 });
  const own = { SLIPWAY_ENGINE_HELPER: "/nonexistent/helper", SLIPWAY_ENGINE_SOCKET: socket };
  return { env: { ...env, ...own }, program, helper };
}

const start: CallsStart = {
  ...{ id: "f", name: "f", after: [], items: null, isMap: true, image },
  ...{ programArguments: [], env: {}, network: "none", resources: {} },
};

async function call(env: Record<string, string>): Promise<void> {
  for (const name of Object.keys(process.env)) vi.stubEnv(name, env[name]);
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  try {
    const batch = (await openHelper()).start(start, { onResult: () => {}, onError: () => {} });
    void batch.item(0, [Buffer.from("[1]")]);
    batch.close();
    await batch.done;
  } finally {
    vi.unstubAllEnvs();
  }
}

it("takes the calls of the program that it was started for, and ends with it", { timeout: 60_000 }, async () => {
  const { env, program, helper } = await waitingHelper();
  // As docs/environment.md says, it is for its user alone.
  expect(statSync(join(env["HOME"] ?? "", ".cache/slipway")).mode & 0o777).toBe(0o700);
  for (let count = 0; count < 2; count++) {
    await expect(call({ ...env, PWD: "/elsewhere" })).rejects.toThrow(
      userErrorWith("cluster-unreachable", "KUBECONFIG"),
    );
  }
  const own = await openedHelper();
  // With another environment it is not the one to ask, and one of the program's own is started.
  const absent = failureWith("program-missing", "/nonexistent/helper");
  await expect(call({ ...env, KUBECONFIG: "/other" })).rejects.toThrow(absent);
  expect(readFileSync(`/proc/${helper.pid}/cmdline`, "utf8")).toContain("serve");
  const ended = once(helper, "exit");
  own?.kill();
  program.kill();
  await ended;
  expect(existsSync(dirname(env["SLIPWAY_ENGINE_SOCKET"] ?? ""))).toBe(false);
  // It is not missed.
  await expect(call(env)).rejects.toThrow(absent);
});
