import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadCargo, writeHeavy } from "./heavy.ts";
import { readSeen } from "./probe.ts";
import { Registry } from "./registry.ts";
import { finished, Workspace } from "./workspace.ts";

const workspace = new Workspace("launch");
const registry = new Registry(workspace);

/** Bytes of a layer that takes a while to send. */
const cargo = 192 * 1024 * 1024;

beforeAll(async () => {
  writeHeavy(workspace);
  await buildNew();
  // Its folders are there, and the layer of Node, so that the cargo alone is on its way.
  await workspace.stdout(["run", "//heavy:heavy_push"]);
});
afterAll(() => registry.stop());

/** New content, so that the next push has something to send. */
async function buildNew(): Promise<void> {
  loadCargo(workspace, cargo);
  await workspace.stdout(["build", "//heavy", "//heavy:heavy_push"]);
}

/** Resolves when some, and not all, of a blob is in the registry: its file is then as long as what came of it. */
async function inTheMiddleOfAnUpload(): Promise<void> {
  const uploads = join(registry.paths.data, "repositories/heavy/_uploads");
  const came = () => {
    if (!existsSync(uploads)) return 0;
    return Math.max(
      0,
      ...readdirSync(uploads).map((name) => statSync(join(uploads, name), { throwIfNoEntry: false })?.size ?? 0),
    );
  };
  while (came() < 1024 * 1024) await new Promise((resolve) => setImmediate(resolve));
  expect(came()).toBeLessThan(cargo);
}

describe("kill -9 in the middle of an upload", () => {
  it("of the registry: the push starts it anew and completes, and so does the next run", async () => {
    await buildNew();
    const { pid } = await registry.status();
    const push = workspace.bazel(["run", "//heavy:heavy_push"]);
    await inTheMiddleOfAnUpload();
    process.kill(pid, "SIGKILL");
    const { status, stderr } = await push;
    expect(status, stderr).toBe(0);

    expect(readSeen(await workspace.stdout(["run", "//heavy"])).arguments).toEqual([]);
    expect((await registry.status()).pid).not.toBe(pid);
    await registry.verify("heavy", await pushed());
  });

  it("of the launcher: the next run completes, and the program runs once", async () => {
    await buildNew();
    const child = workspace.start(["run", "//heavy"], { stdio: ["ignore", "pipe", "pipe"] });
    const end = finished(child);
    await inTheMiddleOfAnUpload();
    child.kill("SIGKILL");
    expect(await end).toMatchObject({ status: 137, stdout: "" });

    expect(readSeen(await workspace.stdout(["run", "//heavy"])).arguments).toEqual([]);
    await registry.verify("heavy", await pushed());
  });
});

/** Digest of the image that the sources stand for. */
async function pushed(): Promise<string> {
  const stdout = await workspace.stdout(["run", "//heavy:heavy_push"]);
  return stdout.trim().split("@")[1] ?? "";
}
