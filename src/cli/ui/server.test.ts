import { request } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect, it, onTestFinished } from "vitest";
import { UserError } from "../../core/errors.ts";
import { type Answer, createUi, type Live } from "./server.ts";

const token = "t0ken";
const own = { authorization: `Bearer ${token}` };

async function serve(
  parts: { live?: Readonly<Record<string, Live>>; answers?: Readonly<Record<string, Answer>> } = {},
) {
  const host = () => `127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  const app = createUi({ token, host, script: "script()", live: {}, answers: {}, actions: {}, ...parts });
  await app.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(async () => {
    app.server.closeAllConnections();
    await app.close();
  });
  const { port } = app.server.address() as AddressInfo;
  const ask = async (path: string, headers: Readonly<Record<string, string>> = {}) => {
    const sent = request({ host: "127.0.0.1", port, path, headers }).end();
    const [response] = await new Promise<[import("node:http").IncomingMessage]>((resolve, reject) => {
      sent.once("response", (each) => resolve([each]));
      sent.once("error", reject);
    });
    return { status: response.statusCode, headers: response.headers, body: await text(response) };
  };
  return { ask, port };
}

it("gives data to nobody without the token", async () => {
  const { ask } = await serve({ answers: { images: async () => ["mine"] } });
  expect(await ask("/api/images", own)).toMatchObject({ status: 200, body: '["mine"]' });
  for (const headers of [
    {},
    { authorization: "Bearer t0ke" },
    { authorization: token },
    { cookie: `token=${token}` },
  ]) {
    const { status, body } = await ask("/api/images", headers as never);
    expect({ status, body }).toEqual({ status: 401, body: expect.not.stringContaining("mine") });
  }
  expect((await ask(`/api/images?token=${token}`)).status).toBe(401);
});

it("answers neither another site's page nor another name", async () => {
  const { ask, port } = await serve({ answers: { images: async () => ["mine"] } });
  expect((await ask("/api/images", { ...own, origin: "https://example.com" })).status).toBe(403);
  expect((await ask("/api/images", { ...own, origin: "null" })).status).toBe(403);
  expect((await ask("/api/images", { ...own, origin: `http://127.0.0.1:${port}` })).status).toBe(200);
  for (const host of ["example.com", `example.com:${port}`, `localhost:${port}`]) {
    for (const path of ["/", "/page.js", "/api/images"]) expect((await ask(path, { ...own, host })).status).toBe(421);
  }
});

it("lets no script run but the page's own, and nobody have the page inside of theirs", async () => {
  const { ask } = await serve();
  for (const path of ["/", "/page.js", "/page.css", "/tree", "/absent", "/api/images", "/%zz"]) {
    const { headers, body } = await ask(path);
    const policy = String(headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(headers).toMatchObject({ "cross-origin-resource-policy": "same-origin", "referrer-policy": "no-referrer" });
    expect(headers).not.toHaveProperty("access-control-allow-origin");
    expect(headers).not.toHaveProperty("set-cookie");
    expect(body).not.toMatch(/<style|<script>|style=|https?:/);
  }
});

it("says what is wrong", async () => {
  const fail = new UserError({ code: "run-not-found", culprit: "x" }, "There is no x.", "Name another one.");
  const { ask } = await serve({
    answers: { image: () => Promise.reject(fail), images: () => Promise.reject(new Error("broken")) },
    live: {
      // biome-ignore lint/correctness/useYield: it fails before
      run: async function* () {
        throw fail;
      },
    },
  });
  const image = await ask("/api/image?name=x", own);
  expect(image).toMatchObject({ status: 400, body: expect.stringContaining("There is no x.") });
  expect(await ask("/api/images", own)).toMatchObject({ status: 500 });
  expect((await ask("/api/live/run?of=x", own)).body).toContain('data: {"error":"There is no x.');
});

it("sends messages as they come, and ends what they come from when the browser leaves", async () => {
  const ended = Promise.withResolvers<void>();
  const { port } = await serve({
    live: {
      run: async function* (of, signal) {
        yield { of };
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        ended.resolve();
      },
    },
  });
  const leave = new AbortController();
  const response = await fetch(`http://127.0.0.1:${port}/api/live/run?of=a%20b`, {
    headers: own,
    signal: leave.signal,
  });
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const { value } = (await response.body?.getReader().read()) ?? {};
  expect(Buffer.from(value ?? []).toString()).toBe('data: {"of":"a b"}\n\n');
  leave.abort();
  await ended.promise;
});

it("answers whatever breaks, and goes on", async () => {
  const circle: { self?: unknown } = {};
  circle.self = circle;
  const { ask } = await serve({
    answers: {
      circle: async () => circle,
      text: () => Promise.reject("a text"),
      nothing: () => Promise.reject(undefined),
      sync: () => {
        throw new RangeError("Invalid array length");
      },
      images: async () => ["mine"],
    },
    live: {
      circle: async function* () {
        yield circle;
      },
    },
  });
  for (const name of ["circle", "text", "nothing", "sync"]) {
    expect(await ask(`/api/${name}`, own)).toMatchObject({ status: 500, body: expect.stringContaining("error") });
  }
  expect((await ask("/api/live/circle", own)).body).toContain('data: {"error":');
  expect((await ask("/api/images", own)).status).toBe(200);
});

it("bounds what it does at once", async () => {
  const ready = Promise.withResolvers<void>();
  let [now, most] = [0, 0];
  const { ask } = await serve({
    answers: {
      image: async () => {
        most = Math.max(most, ++now);
        await ready.promise;
        now--;
        return {};
      },
    },
  });
  let refused = 0;
  const asks = Array.from({ length: 60 }, async () => {
    const { status } = await ask("/api/image", own);
    if (status === 503 && ++refused === 24) ready.resolve();
    return status;
  });
  const statuses = await Promise.all(asks);
  expect({ most, done: statuses.filter((status) => status === 200).length }).toEqual({ most: 4, done: 36 });
});
