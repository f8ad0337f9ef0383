import { createServer, type Server } from "node:http";
import { type AddressInfo, createServer as createNetServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { serviceOf } from "../testdata/service.ts";
import type { Containers, Found } from "./containers.ts";
import { factsOf } from "./facts.ts";
import { forward } from "./open.ts";

async function listening(words: string): Promise<Server> {
  const server = createServer((_, response) => response.end(words)).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  return server;
}

const facts = factsOf(serviceOf({ image: "a", port: 8080 }), "a", undefined, []);

function at(server: Server): Found {
  return {
    ...{ service: "web", replica: 0, hash: "", facts, name: "web", state: "running", exitCode: 0 },
    ...{ isOutOfMemory: false, restarts: 0, startedAt: "" },
    hostPorts: new Map([[8080, (server.address() as AddressInfo).port]]),
  };
}

/** The address at which containers are opened. */
function opened(
  list: () => Promise<Found[]>,
  found: readonly Found[],
  notice: (text: string) => void = () => {},
): Promise<string> {
  const over = new AbortController();
  onTestFinished(() => over.abort());
  const url = Promise.withResolvers<string>();
  const options = { signal: over.signal, onUrl: url.resolve, notice };
  forward({ list } as unknown as Containers, "web", found, options).catch(url.reject);
  return url.promise;
}

it("leads to the container that took the place of another, at another port, however many wait meanwhile", async () => {
  const first = await listening("first");
  const found = [at(first)];
  let looks = 0;
  const list = async () => {
    looks += 1;
    // Nothing at first, as between a container and its successor.
    return looks < 3 ? [] : [at(await second)];
  };
  const second = listening("second");
  const url = await opened(list, found);
  const ask = async () => (await fetch(url, { headers: { connection: "close" } })).text();
  expect(await ask()).toBe("first");
  await new Promise((resolve) => first.close(resolve));
  const answers = await Promise.all(Array.from({ length: 100 }, ask));
  expect(new Set(answers)).toEqual(new Set(["second"]));
  // All of them together: each look is a few processes of podman.
  expect(looks).toBe(3);
});

it("says how many connections wait while no container is ready", { timeout: 30_000 }, async () => {
  const server = await listening("late");
  const stopped: Found = { ...at(server), state: "exited" };
  let now = stopped;
  const notices: string[] = [];
  const url = await opened(
    async () => [now],
    [stopped],
    (text) => notices.push(text),
  );
  const asked = [1, 2].map(async () => (await fetch(url, { headers: { connection: "close" } })).text());
  const words = /^web: no container is ready\. 2 connections wait for one \(\d+ s\)$/;
  await expect.poll(() => notices.filter((text) => words.test(text)).length, { timeout: 20_000 }).toBe(2);
  now = at(server);
  expect(await Promise.all(asked)).toEqual(["late", "late"]);
});

describe("a request that a container did not answer before it ended", () => {
  /**
   * Ends the first connections once it has heard all of a request, as a program that stops ends those that it has
   * not accepted.
   */
  async function stopping(times: number) {
    const requests: string[] = [];
    const server = createNetServer((socket) => {
      socket
        .on("error", () => {})
        .once("data", (data) => {
          requests.push(data.toString().split(" ", 1)[0] ?? "");
          if (requests.length <= times) socket.resetAndDestroy();
          else socket.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
        });
    }).listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once("listening", resolve));
    const found = [at(server as Server)];
    return { requests, url: await opened(async () => found, found) };
  }
  const ask = async (url: string, method: string) => {
    const body = method === "POST" ? { body: "text" } : {};
    const response = await fetch(url, { method, headers: { connection: "close" }, ...body });
    return response.text();
  };

  it("is sent again", async () => {
    const { url, requests } = await stopping(2);
    expect(await ask(url, "GET")).toBe("ok");
    expect(requests).toEqual(["GET", "GET", "GET"]);
  });

  it("fails if it may change something", async () => {
    const { url, requests } = await stopping(1);
    await expect(ask(url, "POST")).rejects.toThrow("fetch failed");
    expect(requests).toEqual(["POST"]);
  });

  it("fails if no container answers it", async () => {
    const { url, requests } = await stopping(10);
    await expect(ask(url, "GET")).rejects.toThrow("fetch failed");
    expect(requests).toHaveLength(3);
  });
});
