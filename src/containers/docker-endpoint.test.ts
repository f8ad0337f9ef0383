import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { failureWith } from "../core/testdata/reported.ts";
import { checkDocker } from "./docker-daemon.ts";
import { dockerEndpoint } from "./docker-endpoint.ts";

const folder = mkdtempSync(join(tmpdir(), "docker-"));
const socket = join(folder, "d.sock");
let server: Server | undefined;
afterEach(() => server?.close());

/** Listens on the socket, and answers every connection with `answer`, if any. */
function listen(answer?: string): Promise<void> {
  server = createServer((connection) => answer && connection.end(answer));
  return new Promise((resolve) => server?.listen(socket, resolve));
}

describe("dockerEndpoint", () => {
  const env = { HOME: folder };

  it("knows a client without any daemon", () => {
    expect(dockerEndpoint(env, join(folder, "none"))).toEqual({ kind: "none", socket: join(folder, "none") });
  });

  it("finds the daemon's socket, DOCKER_HOST and contexts", async () => {
    await listen();
    expect(dockerEndpoint(env, socket)).toEqual({ kind: "local", socket });
    const own = dockerEndpoint({ ...env, DOCKER_HOST: "unix:///run/user/1/docker.sock" }, socket);
    expect(own).toEqual({ kind: "local", socket: "/run/user/1/docker.sock" });
    const remote = dockerEndpoint({ ...env, DOCKER_HOST: "ssh://far" }, socket);
    expect(remote).toEqual({ kind: "elsewhere", name: "DOCKER_HOST=ssh://far" });
    const far = { kind: "elsewhere", name: "Docker's context far" };
    expect(dockerEndpoint({ ...env, DOCKER_CONTEXT: "far" }, socket)).toEqual(far);
    const DOCKER_CONFIG = mkdtempSync(join(tmpdir(), "config-"));
    writeFileSync(join(DOCKER_CONFIG, "config.json"), '{"currentContext":"far"}');
    expect(dockerEndpoint({ ...env, DOCKER_CONFIG }, socket)).toEqual(far);
  });
});

describe("checkDocker", () => {
  const env = { DOCKER_HOST: `unix://${socket}` };

  it("is content with a daemon that answers", async () => {
    await listen("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK");
    await checkDocker(env);
  });

  it.each([
    ["does not listen", undefined],
    ["fails", "HTTP/1.1 500 Error\r\nContent-Length: 0\r\n\r\n"],
  ])("reports a daemon that %s", async (_, answer) => {
    if (answer !== undefined) await listen(answer);
    await expect(checkDocker(env)).rejects.toThrow(failureWith("engine-unavailable", /d\.sock$/));
  });

  it("does not wait for a daemon that never answers", async () => {
    await listen();
    await expect(checkDocker(env, 20)).rejects.toThrow("does not work: no answer within 0.02 s.");
  });
});
