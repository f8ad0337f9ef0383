import { once } from "node:events";
import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { requestToken } from "./client.ts";
import { idleLimit } from "./idle.ts";
import { makeRegistryFolders, registryPaths } from "./paths.ts";
import { startServer } from "./server.ts";
import { pushImage, serverOfTest, stateOfTest } from "./testdata/fixture.ts";

describe("startServer", () => {
  it("keeps its port from one life to the next", async () => {
    const first = await serverOfTest();
    await first.stop();
    const second = await serverOfTest({ paths: first.paths });
    expect(second.host).toBe(first.host);
    expect(second.notice).toBeUndefined();
  });

  it.each(["127.0.0.1", "::1"])("gives up a port that another program took at %s, and says so", async (address) => {
    const first = await serverOfTest();
    await first.stop();
    const other = createServer().listen(first.port, address);
    await once(other, "listening");
    const second = await serverOfTest({ paths: first.paths });
    other.close();
    expect(second.port).not.toBe(first.port);
    expect(second.notice).toBe(
      `Port ${first.port} is taken by another program: the embedded registry is at localhost:${second.port} from now on.`,
    );
    expect(await readFile(first.paths.port, "utf8")).toBe(String(second.port));
  });

  it("stops by itself when it is idle, not before the last token has expired", async () => {
    const { paths } = await stateOfTest();
    await makeRegistryFolders(paths);
    const clock = { now: Date.now() };
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    try {
      const running = await startServer(paths, { stopWhenIdle: true, now: () => clock.now });
      await requestToken(paths.socket, { repository: "a", actions: ["pull"], ttlSeconds: (2 * idleLimit) / 1000 });
      clock.now += idleLimit;
      vi.advanceTimersByTime(60_000);
      await requestToken(paths.socket, { repository: "a", actions: ["pull"], ttlSeconds: 1 });
      clock.now += idleLimit;
      vi.advanceTimersByTime(60_000);
      await running.stopped;
    } finally {
      vi.useRealTimers();
    }
    await expect(requestToken(paths.socket, { repository: "a", actions: ["pull"] })).rejects.toThrow(
      userErrorWith("embedded-registry", paths.socket),
    );
  });

  it("answers where the socket is elsewhere, since its path would be too long", async () => {
    const { env } = await stateOfTest();
    const home = env["HOME"] ?? "";
    const paths = registryPaths({ XDG_STATE_HOME: join(home, "long".repeat(40)), XDG_RUNTIME_DIR: home });
    expect(dirname(paths.socket)).toBe(join(home, "slipway"));
    const { ask, stop } = await serverOfTest({ paths });
    expect((await ask("GET", "/v2/")).status).toBe(200);
    expect((await stat(dirname(paths.socket))).mode & 0o777).toBe(0o700);
    await stop();
  });

  it("has what its predecessor had", async () => {
    const first = await serverOfTest();
    const digest = await pushImage(first.ask, "a/b", "v1", ["one"]);
    await first.stop();
    const second = await serverOfTest({ paths: first.paths });
    expect((await second.ask("HEAD", "/v2/a/b/manifests/v1")).headers["docker-content-digest"]).toBe(digest);
    const images: unknown = JSON.parse((await second.ask("GET", "/slipway/images")).text);
    expect(images).toMatchObject([{ repository: "a/b", tag: "v1", digest }]);
  });
});
