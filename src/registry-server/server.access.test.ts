import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmod, stat } from "node:fs/promises";
import { connect } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { sha256 } from "../oci/digest.ts";
import { requestToken } from "./client.ts";
import { type Ask, askOver, pushImage, serverOfTest } from "./testdata/fixture.ts";

const other = { uid: 54321, gid: 54321, cwd: "/" };

/** Only root can, and not in every sandbox. */
function mayBecomeOther(): boolean {
  try {
    execFileSync(process.execPath, ["-e", ""], { ...other, stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

async function withToken(actions: ("pull" | "push")[], now?: () => number) {
  const server = await serverOfTest(now ? { now } : {});
  const { token } = await requestToken(server.paths.socket, { repository: "a", actions, ttlSeconds: 60 });
  const over = (headers: Record<string, string>, host?: string): Ask =>
    askOver({ port: server.port, ...(host ? { host } : {}) }, headers);
  const headers = { host: server.host, authorization: `Bearer ${token}` };
  return { ...server, token, over, headers, tcp: over(headers) };
}

describe("over the socket", () => {
  it("nobody else comes in", async () => {
    const { paths } = await serverOfTest();
    expect((await stat(paths.folder)).mode & 0o077).toBe(0);
  });

  it.runIf(mayBecomeOther())("another user cannot connect, nor read what is stored", async () => {
    const { ask, paths } = await serverOfTest();
    await pushImage(ask, "a", "v1", ["one"]);
    // Open to everyone down to the folder that must not be.
    for (let folder = dirname(paths.folder); folder !== tmpdir(); folder = dirname(folder)) await chmod(folder, 0o755);
    const script = `
      const { connect } = require("node:net"), { readdirSync } = require("node:fs");
      const [socket, data] = process.argv.slice(1);
      try { readdirSync(data); console.log("read"); } catch (error) { console.log(error.code); }
      connect(socket, () => { console.log("connected"); process.exit(); }).on("error", (error) => console.log(error.code));`;
    const said = execFileSync(process.execPath, ["-e", script, paths.socket, paths.data], {
      ...other,
      encoding: "utf8",
    });
    expect(said).toBe("EACCES\nEACCES\n");
  });

  it("no token is needed", async () => {
    const { ask } = await serverOfTest();
    expect((await ask("GET", "/v2/")).status).toBe(200);
  });
});

describe("over TCP", () => {
  it.each(["127.0.0.1", "::1"])("nothing is given without a token, at %s", async (address) => {
    const { ask, over, host } = await withToken(["pull"]);
    const digest = await pushImage(ask, "a", "v1", ["one"]);
    const tcp = over({ host }, address);
    for (const [method, path] of [
      ["GET", "/v2/"],
      ["GET", "/v2/a/tags/list"],
      ["GET", `/v2/a/manifests/${digest}`],
      ["GET", `/v2/a/blobs/${sha256("one")}`],
      ["POST", "/v2/a/blobs/uploads/"],
      ["DELETE", "/v2/a/manifests/v1"],
      ["GET", "/v2/unknown/tags/list"],
    ] as const) {
      const answer = await tcp(method, path);
      expect([path, answer.status, answer.code]).toEqual([path, 401, "UNAUTHORIZED"]);
      expect(answer.headers["www-authenticate"]).toBe('Basic realm="slipway"');
    }
  });

  it("a token opens its repository for what it allows, by Bearer or Basic", async () => {
    const { ask, tcp, over, host, token } = await withToken(["pull"]);
    await pushImage(ask, "a", "v1", ["one"]);
    await pushImage(ask, "b", "v1", ["one"]);
    expect((await tcp("GET", "/v2/a/manifests/v1")).status).toBe(200);
    const basic = over({ host, authorization: `Basic ${Buffer.from(`token:${token}`).toString("base64")}` });
    expect((await basic("GET", "/v2/a/manifests/v1")).status).toBe(200);
    expect((await tcp("GET", "/v2/b/manifests/v1")).code).toBe("DENIED");
    expect((await tcp("DELETE", "/v2/a/manifests/v1")).code).toBe("DENIED");
    expect((await tcp("POST", "/v2/a/blobs/uploads/")).code).toBe("DENIED");
  });

  it("a token for one repository mounts nothing from another", async () => {
    const { ask, tcp } = await withToken(["push"]);
    await pushImage(ask, "b", "v1", ["secret"]);
    for (const query of [`mount=${sha256("secret")}&from=b`, `mount=${sha256("secret")}`]) {
      expect((await tcp("POST", `/v2/a/blobs/uploads/?${query}`)).status).toBe(202);
    }
    expect((await tcp("HEAD", `/v2/a/blobs/${sha256("secret")}`)).status).toBe(404);
    expect((await ask("POST", `/v2/a/blobs/uploads/?mount=${sha256("secret")}`)).status).toBe(201);
  });

  it("a token ends with its time", async () => {
    const clock = { now: Date.now() };
    const { tcp } = await withToken(["pull"], () => clock.now);
    expect((await tcp("GET", "/v2/")).status).toBe(200);
    clock.now += 61_000;
    const late = await tcp("GET", "/v2/");
    expect([late.status, late.code]).toEqual([401, "UNAUTHORIZED"]);
    expect(late.text).toContain("expired");
  });

  it("a token ends with its server", async () => {
    const { headers, paths, stop } = await withToken(["pull"]);
    await stop();
    const next = await serverOfTest({ paths });
    expect((await askOver({ port: next.port }, { ...headers, host: next.host })("GET", "/v2/")).status).toBe(401);
  });

  it("other names of this machine are refused, so that no web page can rebind to it", async () => {
    const { headers, over, port } = await withToken(["pull"]);
    for (const host of [
      `evil.example:${port}`,
      "localhost",
      `localhost:${port}.evil.example`,
      `localhost:${port + 1}`,
    ]) {
      const answer = await over({ ...headers, host })("GET", "/v2/");
      expect([host, answer.status]).toEqual([host, 421]);
    }
    for (const host of [`127.0.0.1:${port}`, `[::1]:${port}`, `LOCALHOST:${port}`]) {
      expect((await over({ ...headers, host })("GET", "/v2/")).status).toBe(200);
    }
  });

  it("tokens are not given out, and the server is not stopped", async () => {
    const { tcp } = await withToken(["push"]);
    for (const [method, path] of [
      ["GET", "/slipway/status"],
      ["POST", "/slipway/token"],
      ["POST", "/slipway/stop"],
      ["POST", "/slipway/gc"],
    ] as const) {
      expect((await tcp(method, path)).status).toBe(404);
    }
  });

  it("only this machine is listened to", async () => {
    const { port } = await serverOfTest();
    const outside = Object.values(networkInterfaces())
      .flatMap((each) => each ?? [])
      .filter((each) => !each.internal && each.family === "IPv4");
    for (const { address } of outside) {
      const socket = connect(port, address);
      const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
      expect(error.code).toBe("ECONNREFUSED");
    }
  });
});

describe("requestToken", () => {
  it("refuses what is no repository", async () => {
    const { paths } = await serverOfTest();
    await expect(requestToken(paths.socket, { repository: "A", actions: ["pull"] })).rejects.toThrow(
      userErrorWith("registry-refused", paths.socket),
    );
  });

  it("fails by name when no server runs, whoever has its port", async () => {
    const { paths, stop } = await serverOfTest();
    await stop();
    await expect(requestToken(paths.socket, { repository: "a", actions: ["pull"] })).rejects.toThrow(
      userErrorWith("embedded-registry", paths.socket),
    );
  });
});
