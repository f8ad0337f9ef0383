import { createServer, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { describe, expect, it } from "vitest";
import { userErrorWith } from "../../core/testdata/reported.ts";
import { proxyFor } from "./proxy.ts";
import { failure, open, registry, useRegistry } from "./testdata/harness.ts";
import { listen } from "./testdata/listen.ts";

describe("the proxy for a URL", () => {
  const proxy = "http://proxy.example:3128";
  const used = (url: string, env: Record<string, string>) => proxyFor(new URL(url), env)?.url.host;

  it.each([
    ["https://r.example.com/v2/", { HTTPS_PROXY: proxy }, "proxy.example:3128"],
    ["https://r.example.com/v2/", { https_proxy: "proxy.example:80" }, "proxy.example"],
    ["https://r.example.com/v2/", { HTTP_PROXY: proxy }, undefined],
    ["http://r.example.com/v2/", { HTTP_PROXY: proxy }, "proxy.example:3128"],
    ["https://r.example.com/v2/", { https_proxy: "http://lower", HTTPS_PROXY: proxy }, "lower"],
    ["https://localhost:5000/v2/", { HTTPS_PROXY: proxy }, undefined],
    ["http://127.0.0.1:5000/v2/", { HTTP_PROXY: proxy }, undefined],
  ])("%s with %j is %s", (url, env, host) => {
    expect(used(url, env as Record<string, string>)).toBe(host);
  });

  it.each([
    ["*", true],
    ["example.com", true],
    [".example.com", true],
    ["*.example.com", true],
    ["r.example.com", true],
    [".r.example.com", false],
    ["ample.com", false],
    ["EXAMPLE.com", true],
    ["a.example, example.com", true],
    ["example.com:443", true],
    ["example.com:5000", false],
    ["10.0.0.0/8", false],
    ["", false],
  ])("is not used where no_proxy is %j: %s", (list, excepted) => {
    const env = { HTTPS_PROXY: proxy, NO_PROXY: list };
    expect(used("https://r.example.com/v2/", env) === undefined).toBe(excepted);
  });

  it.each([
    ["10.1.2.3", "10.0.0.0/8", true],
    ["11.1.2.3", "10.0.0.0/8", false],
    ["10.1.2.3", "10.1.2.3", true],
    ["10.1.2.3", "0.0.0.0/33", false],
    ["[fd00::1]", "fd00::/8", true],
    ["[fd00::1]", "fd00::1", true],
    ["[fd00::1]", "[fd00::1]:443", true],
    ["[fd00::1]", "10.0.0.0/8", false],
  ])("for %s is not used where no_proxy is %j: %s", (host, list, excepted) => {
    expect(used(`https://${host}/v2/`, { https_proxy: proxy, no_proxy: list }) === undefined).toBe(excepted);
  });

  it.each(["socks5://u:geheim@proxy:1080", "http://[u:geheim@", "ftp://geheim"])(
    "cannot be %s, which no error shows",
    (text) => {
      const problem = () => proxyFor(new URL("https://r.example.com/"), { HTTPS_PROXY: text });
      expect(problem).toThrow(userErrorWith("proxy-invalid", "HTTPS_PROXY"));
      expect(problem).not.toThrow(/geheim/);
    },
  );
});

describe("a registry behind a proxy", () => {
  useRegistry();

  /** A proxy that takes every host for the registry of the test. */
  async function startProxy(refuse?: (socket: Duplex) => void) {
    const seen: string[] = [];
    const note = (request: IncomingMessage) =>
      seen.push(`${request.method} ${request.url} ${request.headers["proxy-authorization"] ?? ""}`.trim());
    const port = Number(registry.host.split(":")[1]);
    const server = createServer((request, response) => {
      note(request);
      const upstream = fetch(`http://127.0.0.1:${port}${new URL(request.url ?? "").pathname}`, { method: "HEAD" });
      upstream.then(({ status }) => response.writeHead(status).end());
    });
    server.on("connect", (request, socket) => {
      note(request);
      socket.on("error", () => {});
      if (refuse) return refuse(socket);
      const upstream = connect(port, "127.0.0.1", () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
      upstream.on("error", () => {});
      upstream.pipe(socket).pipe(upstream);
    });
    return { seen, port: await listen(server) };
  }

  it("that speaks plain HTTP is asked through it, by name", async () => {
    const proxy = await startProxy();
    const env = { HTTP_PROXY: `http://u:geheim@localhost:${proxy.port}` };
    const client = open({ env, settings: { plainHttp: true } }, "registry.invalid:5000");
    expect(await client.headManifest("team/app", "v1")).toBeUndefined();
    const pair = Buffer.from("u:geheim").toString("base64");
    expect(proxy.seen).toEqual([`HEAD http://registry.invalid:5000/v2/team/app/manifests/v1 Basic ${pair}`]);
  });

  it("that speaks TLS is connected to through it", async () => {
    const proxy = await startProxy();
    const env = { HTTPS_PROXY: `http://localhost:${proxy.port}` };
    const error = await failure(open({ env }, "registry.invalid").headManifest("team/app", "v1"));
    // What answers there speaks plain HTTP, but it was the proxy that led to it.
    expect(proxy.seen[0]).toBe("CONNECT registry.invalid:443");
    expect(error).toEqual(userErrorWith("registry-tls", "registry.invalid"));
    expect(error.message).toContain("write `plainHttp: true`");
  });

  it.each([
    ["wants a password", "407 Proxy Authentication Required", /407 Proxy Authentication Required/, 1],
    ["is broken", "502 Bad Gateway", /502 Bad Gateway\) 2 times/, 2],
  ])(
    "that %s is an error that names the proxy and its variable, without its password",
    async (_, answer, problem, tries) => {
      const proxy = await startProxy((socket) => socket.end(`HTTP/1.1 ${answer}\r\n\r\n`));
      const env = { HTTPS_PROXY: `http://u:geheim@localhost:${proxy.port}` };
      const retry = { attempts: 2, budget: 1000, firstDelay: 1, maximumDelay: 1, firstContactBudget: 1000 };
      const error = await failure(open({ env, retry }, "registry.invalid").headManifest("a", "v1"));
      expect(error).toEqual(userErrorWith("registry-unreachable", "registry.invalid"));
      expect(error.message).toContain(`through the proxy localhost:${proxy.port} (HTTPS_PROXY) `);
      expect(error.message).toMatch(problem);
      expect(error.message).not.toMatch(/geheim/);
      expect(proxy.seen.length).toBe(tries);
    },
  );

  it("that never answers is given up", async () => {
    const proxy = await startProxy(() => {});
    const env = { HTTPS_PROXY: `http://localhost:${proxy.port}` };
    const client = open({ env, connectTimeout: 50 }, "registry.invalid");
    await expect(client.headManifest("a", "v1")).rejects.toThrow(/through the proxy localhost:\d+ .* timed out/);
  });
});
