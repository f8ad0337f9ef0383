import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
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

it("leads to the container that took the place of another, at another port, however many wait meanwhile", async () => {
  const facts = factsOf(serviceOf({ image: "a", port: 8080 }), "a", undefined, []);
  const at = (server: Server): Found => ({
    ...{ service: "web", replica: 0, hash: "", facts, name: "web", state: "running", exitCode: 0 },
    ...{ isOutOfMemory: false, restarts: 0, startedAt: "" },
    hostPorts: new Map([[8080, (server.address() as AddressInfo).port]]),
  });
  const first = await listening("first");
  const found = [at(first)];
  let looks = 0;
  const list = async () => {
    looks += 1;
    // Nothing at first, as between a container and its successor.
    return looks < 3 ? [] : [at(await second)];
  };
  const second = listening("second");
  const over = new AbortController();
  onTestFinished(() => over.abort());
  const url = Promise.withResolvers<string>();
  const options = { signal: over.signal, onUrl: url.resolve, notice: () => {} };
  forward({ list } as unknown as Containers, "web", found, options).catch(() => {});
  const ask = async () => (await fetch(await url.promise, { headers: { connection: "close" } })).text();
  expect(await ask()).toBe("first");
  await new Promise((resolve) => first.close(resolve));
  const answers = await Promise.all(Array.from({ length: 100 }, ask));
  expect(new Set(answers)).toEqual(new Set(["second"]));
  // All of them together: each look is a few processes of podman.
  expect(looks).toBe(3);
});
