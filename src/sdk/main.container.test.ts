import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { installedClient, makeImage } from "../containers/testdata/image.ts";
import { warmSocket } from "../functions/warm-socket.ts";
import { readRun, runIds } from "../runs/read.ts";
import { describeFunctions, program, run } from "./testdata/functions.ts";

// Containers of a busy machine take their time.
vi.setConfig({ testTimeout: 300_000 });

const client = installedClient();

describe(`in a container of ${client.name}`, () => {
  const { image, remove } = makeImage(client, program);
  afterAll(remove);
  const env = {
    SLIPWAY_CONTAINER_IMAGE: image,
    SLIPWAY_ENGINE: "container",
    DOCKER_HOST: process.env["DOCKER_HOST"] ?? "",
  };

  it("keeps a worker for the next run, in a process that nobody waits for, and lists it", async () => {
    const home = mkdtempSync(join(tmpdir(), "warm-"));
    const warm = {
      ...{ SLIPWAY_ENGINE: "container", DOCKER_HOST: env.DOCKER_HOST, XDG_CACHE_HOME: home, XDG_STATE_HOME: home },
      ...{ SLIPWAY_CONTAINER_IMAGE_URIS: `default##${image}`, SLIPWAY_TARGET: "//train:main" },
    };
    const first = await run("host", warm);
    expect(first.err).not.toContain("slipway:");
    const socket = warmSocket(warm) ?? "";
    const second = await run("host", { ...warm, SLIPWAY_ENGINE_SOCKET: socket });
    expect(second).toMatchObject({ result: first.result, status: 0 });
    const [one, other] = runIds(warm).map((id) => readRun(id, warm));
    expect(one).toMatchObject({ state: "done", warmUntil: expect.any(Number) });
    expect(other).toMatchObject({ state: "done", warmUntil: expect.any(Number) });
    // Another program than the one that is named there starts workers of its own.
    const changed = await run("host", { ...warm, SLIPWAY_ENGINE_SOCKET: socket, OTHER: "1" });
    expect(changed.result).not.toBe(first.result);
  });

  it("keeps neither worker nor files where the next run could not find them", async () => {
    const cache = mkdtempSync(join(tmpdir(), "cold-"));
    const { result, status } = await run("host", { ...env, XDG_CACHE_HOME: cache });
    expect(status).toBe(0);
    const left = () => [
      ...readdirSync(join(cache, "slipway/files")),
      ...execFileSync(client.path, ["ps", "--quiet"], { encoding: "utf8" })
        .split("\n")
        .filter((id) => id === result),
    ];
    await expect.poll(left, { timeout: 30_000 }).toEqual([]);
  });

  describeFunctions({ env, where: `a container of ${image}`, container: { client, image } });
});
