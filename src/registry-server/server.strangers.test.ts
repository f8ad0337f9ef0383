import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { sha256 } from "../oci/digest.ts";
import { mediaTypes } from "../oci/media-types.ts";
import { requestToken } from "./client.ts";
import { askOver, manifestOf, pushImage, serverOfTest } from "./testdata/fixture.ts";

/** A connection of another user of this machine, and what it was told until its end. */
function stranger(port: number): { socket: Socket; closed: Promise<string> } {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  let told = "";
  socket.on("data", (chunk) => (told += chunk.toString("latin1")));
  socket.on("error", () => {});
  return { socket, closed: new Promise((resolve) => socket.once("close", () => resolve(told))) };
}

const chunk = Buffer.alloc(64 * 1024, "x");

/** Sends without end, until the other side closes. @returns bytes that were taken */
async function flood(socket: Socket): Promise<number> {
  const ended = new Promise((resolve) => socket.once("close", resolve));
  while (!socket.destroyed && socket.bytesWritten < 256 * 1024 * 1024) {
    if (!socket.write(`${chunk.length.toString(16)}\r\n${chunk}\r\n`)) {
      await Promise.race([once(socket, "drain").catch(() => {}), ended]);
    }
  }
  return socket.bytesWritten;
}

it.each([
  ["POST", "/v2/a/blobs/uploads/", "no token"],
  ["PATCH", "/v2/a/blobs/uploads/00000000-0000-0000-0000-000000000000", "no token"],
  ["PUT", "/v2/a/manifests/v1", "no token"],
  ["POST", "/v2/a/blobs/uploads/", "a token of nobody"],
  ["POST", "/v2/b/blobs/uploads/", "a token for another repository"],
  ["POST", "/slipway/gc", "no token"],
])("%s %s with %s is answered at once, and its body is not read", async (method, path, credential) => {
  const { port, host, paths } = await serverOfTest();
  const { token } = await requestToken(paths.socket, { repository: "a", actions: ["push"] });
  const given = { "no token": "", "a token of nobody": "Bearer a.b" }[credential] ?? `Bearer ${token}`;
  const { socket, closed } = stranger(port);
  const authorization = given === "" ? "" : `authorization: ${given}\r\n`;
  socket.write(`${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n${authorization}transfer-encoding: chunked\r\n\r\n`);
  expect(await flood(socket)).toBeLessThan(16 * 1024 * 1024);
  await closed;
});

it("a stranger who waits for the answer reads it, and the connection is closed", async () => {
  const { port, host } = await serverOfTest();
  const { socket, closed } = stranger(port);
  socket.write(`PUT /v2/a/manifests/v1 HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 1000000000\r\n\r\n`);
  expect(await closed).toMatch(/^HTTP\/1\.1 401 [\s\S]*connection: close[\s\S]*"UNAUTHORIZED"/i);
});

it("a client that asks before it sends is refused without its body", async () => {
  const { port, host } = await serverOfTest();
  const { socket, closed } = stranger(port);
  socket.write(
    `POST /v2/a/blobs/uploads/ HTTP/1.1\r\nhost: ${host}\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n`,
  );
  const told = await closed;
  expect(told).toContain(" 401 ");
  expect(told).not.toContain("100 Continue");
});

it("header fields that are too large, or two requests in one, are refused", async () => {
  const { port, host } = await serverOfTest();
  for (const [fields, status] of [
    [`x: ${"y".repeat(64 * 1024)}\r\n`, "431"],
    ["content-length: 5\r\ntransfer-encoding: chunked\r\n", "400"],
    ["content-length: 5\r\ncontent-length: 6\r\n", "400"],
    ["transfer-encoding: chunked, identity\r\n", "400"],
    ["x : y\r\n", "400"],
  ] as const) {
    const { socket, closed } = stranger(port);
    socket.write(`POST /v2/ HTTP/1.1\r\nhost: ${host}\r\n${fields}\r\n`);
    expect((await closed).slice(0, 12)).toBe(`HTTP/1.1 ${status}`);
  }
});

it("connections of strangers that say nothing do not keep others out", async () => {
  const { port, ask, host, paths } = await serverOfTest();
  await pushImage(ask, "a", "v1", ["layer"]);
  const silent = Array.from({ length: 600 }, () => stranger(port).socket);
  await Promise.all(silent.map((socket) => new Promise((done) => socket.once("connect", done).once("close", done))));
  const { token } = await requestToken(paths.socket, { repository: "a", actions: ["pull"] });
  // Over the socket always; over TCP once the silent ones are turned away.
  expect((await ask("GET", "/v2/a/manifests/v1")).status).toBe(200);
  for (const socket of silent) socket.destroy();
  const tcp = askOver({ port }, { host, authorization: `Bearer ${token}` });
  const status = () =>
    tcp("GET", "/v2/a/manifests/v1").then(
      (answer) => answer.status,
      (error) => error.code,
    );
  await expect.poll(status).toBe(200);
});

it.each([
  "/v2/../../etc/passwd",
  "/v2/%2e%2e/%2e%2e/manifests/v1",
  "/v2/a%2f..%2f..%2fb/manifests/v1",
  "/v2/a/manifests/..%2f..%2f_tags%2fv1",
  "/v2/a/manifests/%00",
  "/v2/a/blobs/sha256:..%2f..%2f..%2fetc%2fpasswd",
  `/v2/a/blobs/sha256:${"a".repeat(63)}%2f`,
  "/v2/a/blobs/uploads/..%2f..%2f_tags%2fv1",
  "/v2/a/blobs/uploads/------------------------------------",
  "/v2/_blobs/manifests/v1",
  "/v2/a/_tags/manifests/v1",
  "//v2/a/manifests/v1",
  "/v2/a/manifests/v1/../../../b/manifests/v1",
  "/v2/a/%6danifests/..",
  "/v2//a/manifests/v1",
])("the path %s leads nowhere", async (path) => {
  const { ask } = await serverOfTest();
  await pushImage(ask, "b", "v1", ["layer"]);
  for (const method of ["GET", "PUT", "DELETE"]) {
    const { status, text } = await ask(method, path);
    expect([method, status >= 400 && status < 500, text.includes("root:")]).toEqual([method, true, false]);
  }
  expect((await ask("GET", "/v2/b/manifests/v1")).status).toBe(200);
});

it("a token for one repository does not open another, however that is spelt", async () => {
  const { ask, port, host, paths } = await serverOfTest();
  await pushImage(ask, "b", "v1", ["secret"]);
  const { token } = await requestToken(paths.socket, { repository: "a", actions: ["push"] });
  const tcp = askOver({ port }, { host, authorization: `Bearer ${token}` });
  for (const path of [
    "/v2/b/manifests/v1",
    "/v2/%62/manifests/v1",
    "/v2/a/../b/manifests/v1",
    "/v2/a%2f..%2fb/manifests/v1",
    `/v2/a/blobs/${sha256("secret")}`,
    "/v2/a/manifests/v1?repository=b",
    "/slipway/images",
    "/%73lipway/images",
    "/v2/../slipway/images",
    "/v2/%2e%2e/slipway/images",
  ]) {
    const { status, text } = await tcp("GET", path);
    expect([path, status >= 400 && status < 500, text.includes("secret")]).toEqual([path, true, false]);
  }
});

it.each(["from=b", "", "from=a/../b", "from=./b", "from=%62", "from=b&from=a", "from=a&from=b", "from="])(
  "a token for one repository mounts no blob of another by mount=…&%s",
  async (from) => {
    const { port, host, paths, ask } = await serverOfTest();
    await pushImage(ask, "b", "v1", ["private"]);
    const { token } = await requestToken(paths.socket, { repository: "a", actions: ["push", "pull"] });
    const stranger = askOver({ port }, { host, authorization: `Bearer ${token}` });
    const digest = sha256("private");
    const { status } = await stranger("POST", `/v2/a/blobs/uploads/?mount=${digest}&${from}`);
    expect([202, 400]).toContain(status);
    for (const repository of ["a", "b", "a/../b", "a%2f..%2fb", "%62"]) {
      expect((await stranger("GET", `/v2/${repository}/blobs/${digest}`)).text).not.toContain("private");
    }
    const body = manifestOf(["private"]);
    const headers = { "content-type": mediaTypes.manifest };
    expect((await stranger("PUT", "/v2/a/manifests/v1", { body, headers })).code).toBe("MANIFEST_BLOB_UNKNOWN");
  },
);
