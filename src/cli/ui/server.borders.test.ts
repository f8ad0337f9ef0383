import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { expect, it, onTestFinished } from "vitest";
import { createUi } from "./server.ts";
import { answerSources, liveSources } from "./sources.ts";

const token = "t0ken-of-this-page";
const secret = "what only the owner may read";

/** A page with the names of all real sources, each of which tells the secret. */
async function serve() {
  const { answers: named, actions: acts } = answerSources({});
  const tell = (names: object) =>
    Object.fromEntries(Object.keys(names).map((name) => [name, async () => ({ secret })]));
  const live = Object.fromEntries(
    Object.keys(liveSources({})).map((name) => [
      name,
      async function* () {
        yield { secret };
      },
    ]),
  );
  const app = createUi({ token, host: () => host, script: "s()", live, answers: tell(named), actions: tell(acts) });
  await app.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(async () => {
    app.server.closeAllConnections();
    await app.close();
  });
  const { port } = app.server.address() as AddressInfo;
  const host = `127.0.0.1:${port}`;
  /** Sends a request as it is written, and gives all of the answer. */
  const say = async (line: string, headers: readonly string[] = [`host: ${host}`]): Promise<string> => {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(`${[line, ...headers, "connection: close"].join("\r\n")}\r\n\r\n`);
    return text(socket);
  };
  const routes = [...Object.keys(named), ...Object.keys(live).map((name) => `live/${name}`)];
  return { app, host, say, routes, actions: Object.keys(acts) };
}

const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);

/** Ways to write `/api/NAME`, and ways to ask for it. */
const spellings: readonly ((name: string, host: string) => string)[] = [
  (name) => `/api/${name}`,
  (name) => `/%61pi/${name}`,
  (name) => `/%61%70%69/${name}`,
  (name) => `/a%70i%2f${name}`,
  (name) => `/%2561pi/${name}`,
  (name) => `//api/${name}`,
  (name) => `/./api/${name}`,
  (name) => `/x/../api/${name}`,
  (name) => `/page.js/..;/api/${name}`,
  (name) => `/api/..;/api/${name}`,
  (name) => `/API/${name}`,
  (name) => `/api/${name}/`,
  (name) => `/api/${name}?name=x#token=${token}`,
  (name) => `/api/${name}?token=${token}`,
  (name) => `/api/${name};x=1`,
  (name) => `/api/${name}%00`,
  (name) => `/api\\${name}`,
  (name) => `/tree/../api/${name}`,
  (name, host) => `http://${host}/api/${name}`,
  (name, host) => `http://${host}/%61pi/${name}`,
];
const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"];

it("gives nothing to anybody without the token, however they write a route and wherever they put a token", async () => {
  const { host, say, routes, actions } = await serve();
  const own = `host: ${host}`;
  const credentials: readonly (readonly string[])[] = [
    [],
    ["authorization: Bearer wrong"],
    [`authorization: Bearer ${token}x`],
    [`authorization: ${token}`],
    [`authorization: Basic ${Buffer.from(`token:${token}`).toString("base64")}`],
    [`cookie: token=${token}; authorization=Bearer ${token}`],
    [`proxy-authorization: Bearer ${token}`],
    [`x-authorization: Bearer ${token}`],
    [
      "upgrade: websocket",
      "connection: upgrade",
      "sec-websocket-version: 13",
      "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==",
    ],
  ];
  let asked = 0;
  const refuses = async (line: string, headers: readonly string[]) => {
    asked++;
    const answer = await say(line, headers);
    expect({ line, headers, status: statusOf(answer) }).toMatchObject({ status: expect.toSatisfy(isRefusal) });
    expect(answer).not.toContain(secret);
  };
  for (const name of routes) {
    for (const spell of spellings) await refuses(`GET ${spell(name, host)} HTTP/1.1`, [own]);
    for (const credential of credentials) {
      for (const spell of [spellings[0], spellings[1]]) {
        await refuses(`GET ${spell?.(name, host)} HTTP/1.1`, [own, ...credential]);
      }
    }
    for (const method of methods) await refuses(`${method} /api/${name} HTTP/1.1`, [own]);
    await refuses(`GET /api/${name} HTTP/1.0`, [`authorization: Bearer ${token}`]);
    await refuses(`GET /api/${name} HTTP/1.1`, ["host: evil.example", `authorization: Bearer ${token}`]);
    await refuses(`GET http://evil.example/api/${name} HTTP/1.1`, [
      "host: evil.example",
      `authorization: Bearer ${token}`,
    ]);
  }
  for (const name of actions) {
    for (const method of methods) await refuses(`${method} /api/${name}?name=x HTTP/1.1`, [own, "content-length: 0"]);
  }
  expect(asked).toBeGreaterThan(500);
});

const isRefusal = (status: number) => [400, 401, 403, 404, 405, 415, 421].includes(status);

it("says of a route that it is closed, whether it is there or not", async () => {
  const { host, say } = await serve();
  for (const line of ["GET /absent", "GET /api/absent", "POST /", "DELETE /page.js", "HEAD /", "OPTIONS *"]) {
    expect([line, statusOf(await say(`${line} HTTP/1.1`))]).toEqual([line, 401]);
  }
  const own = [`host: ${host}`, `authorization: Bearer ${token}`];
  expect(statusOf(await say("GET /absent HTTP/1.1", own))).toBe(404);
  expect(statusOf(await say("GET /api/images HTTP/1.1", own))).toBe(200);
});

it("answers its own page alone, by what the browser says of the asker", async () => {
  const { host, say } = await serve();
  const own = [`host: ${host}`, `authorization: Bearer ${token}`];
  const status = async (path: string, ...headers: string[]) =>
    statusOf(await say(`GET ${path} HTTP/1.1`, [...own, ...headers]));
  expect(await status("/api/images", "sec-fetch-site: same-origin")).toBe(200);
  for (const site of ["cross-site", "same-site", "none", "new-kind"]) {
    expect([site, await status("/api/images", `sec-fetch-site: ${site}`)]).toEqual([site, 403]);
  }
  for (const origin of ["null", "http://127.0.0.1", "http://localhost:1", `https://${host}`, "http://evil.example"]) {
    expect([origin, await status("/api/images", `origin: ${origin}`)]).toEqual([origin, 403]);
    expect([origin, await status("/page.js", `origin: ${origin}`)]).toEqual([origin, 403]);
  }
  for (const site of ["cross-site", "same-site"]) expect(await status("/page.js", `sec-fetch-site: ${site}`)).toBe(403);
  // A link in a chat or a terminal leads to the page.
  expect(await status("/", "sec-fetch-site: cross-site", "sec-fetch-mode: navigate", "sec-fetch-dest: document")).toBe(
    200,
  );
  expect(await status("/", "sec-fetch-site: cross-site", "sec-fetch-mode: navigate", "sec-fetch-dest: iframe")).toBe(
    403,
  );
});

it("reads no body, and ends requests that do not come to their end", async () => {
  const { app, host, say } = await serve();
  const own = [`host: ${host}`, `authorization: Bearer ${token}`];
  for (const type of ["application/json", "text/plain", "multipart/form-data; boundary=x"]) {
    const body = "x".repeat(100);
    const headers = [...own, `content-type: ${type}`, `content-length: ${body.length}`];
    expect(statusOf(await say("POST /api/registries HTTP/1.1", headers))).toBe(415);
  }
  expect(app.server.headersTimeout).toBeLessThanOrEqual(10_000);
  expect(app.server.requestTimeout).toBeLessThanOrEqual(30_000);
  expect(app.server.maxConnections).toBeLessThanOrEqual(256);
  // Even what the router cannot read gets the headers that keep a browser from interpreting it.
  const broken = await say("GET /%zz HTTP/1.1");
  expect(broken).toMatch(/^HTTP\/1\.1 40[01]/);
  expect(broken.toLowerCase()).toContain("x-content-type-options: nosniff");
});
