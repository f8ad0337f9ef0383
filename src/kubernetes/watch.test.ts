import type { ServerResponse } from "node:http";
import { expect, it, vi } from "vitest";
import { failureWith } from "../core/testdata/reported.ts";
import { openCluster } from "./cluster.ts";
import { apiServer, list, refuse } from "./testdata/api-server.ts";
import { listAll, watchAll } from "./watch.ts";

const selection = { path: "/api/v1/namespaces/default/pods" };

/**
 * The API of a server that answers so, the first time with `number` 1. One that answers `watches` so has nothing to
 * list.
 */
async function apiOf(answer: (response: ServerResponse, number: number) => void, what: "all" | "watches" = "all") {
  let number = 0;
  const env = await apiServer(({ url }, response) => {
    if (what === "all" || url.includes("watch=true")) answer(response, ++number);
    else response.end(list([]));
  });
  return (await openCluster(env)).api;
}

it("tells once that a server is quiet, and gives up after five minutes", async () => {
  let watches = 0;
  const api = await apiOf((response, number) => {
    watches = number;
    response.destroy();
  }, "watches");
  const quiet: Error[] = [];
  const signal = AbortSignal.timeout(60_000);
  const told = { onQuiet: (error: Error) => void quiet.push(error), answered: () => {} };
  const watching = watchAll(api, selection, { signal, quiet: told }, () => {});
  watching.catch(() => {});
  await vi.waitUntil(() => watches >= 3, { timeout: 20_000 });
  const unreachable = failureWith("cluster-unreachable", "test");
  expect(quiet).toEqual([unreachable]);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 6 * 60_000 });
  await expect(watching.finally(() => vi.useRealTimers())).rejects.toThrow(unreachable);
});

it("tells when a server answers again, whether or not something has changed", async () => {
  const api = await apiOf((response, number) => {
    if (number === 1) response.destroy();
    else response.flushHeaders();
  }, "watches");
  const told: string[] = [];
  const over = new AbortController();
  const quiet = { onQuiet: () => void told.push("quiet"), answered: () => void told.push("answered") };
  const watching = watchAll(api, selection, { signal: over.signal, quiet }, () => {});
  await vi.waitUntil(() => told.at(-1) === "answered" && told.includes("quiet"), { timeout: 20_000 });
  over.abort();
  await watching;
  expect(told).toEqual(["answered", "quiet", "answered"]);
});

it.each<[string, (response: ServerResponse) => void]>([
  [
    "ends every watch at once",
    (response) => response.end(`${JSON.stringify({ type: "ERROR", object: { metadata: {} } })}\n`),
  ],
  ["has forgotten every state", (response) => refuse(response, 410)],
])("does not hurry a server that %s", async (_, answer) => {
  const begun: number[] = [];
  const api = await apiOf((response) => {
    begun.push(performance.now());
    answer(response);
  }, "watches");
  const over = new AbortController();
  const watching = watchAll(api, selection, { signal: over.signal }, () => {});
  await vi.waitUntil(() => begun.length >= 2, { timeout: 20_000 });
  over.abort();
  await watching;
  expect((begun[1] ?? 0) - (begun[0] ?? 0)).toBeGreaterThan(900);
});

it("asks again for an answer that breaks off, and where something else answered", async () => {
  let asked = 0;
  const api = await apiOf((response, number) => {
    asked = number;
    if (number === 1) response.writeHead(200, { "content-length": 1000 }).write("{", () => response.destroy());
    else response.end(number === 2 ? "<html>" : list([{}]));
  });
  expect((await listAll(api, selection)).items).toEqual([{}]);
  expect(asked).toBe(3);
});

it("asks a busy server again when it says", async () => {
  const asked: number[] = [];
  const api = await apiOf((response, number) => {
    asked.push(performance.now());
    if (number === 1) refuse(response, 429, { "retry-after": "1" });
    else response.end(list([]));
  });
  await listAll(api, selection);
  expect((asked[1] ?? 0) - (asked[0] ?? 0)).toBeGreaterThan(900);
});

it("goes on after a server was away that does not know yet who may do what", async () => {
  const api = await apiOf((response, number) => {
    if (number === 1) response.destroy();
    else if (number < 4) refuse(response, 403);
    else response.end(`${JSON.stringify({ type: "ADDED", object: { metadata: { name: "a" } } })}\n`);
  }, "watches");
  const over = new AbortController();
  const seen: string[] = [];
  await watchAll(api, selection, { signal: over.signal }, (items) => {
    seen.push(...items.keys());
    if (items.size > 0) over.abort();
  });
  expect(seen).toEqual(["a"]);
});

it("fails at once where something is not allowed", async () => {
  const api = await apiOf((response) => refuse(response, 403));
  const watching = watchAll(api, selection, { signal: AbortSignal.timeout(60_000) }, () => {});
  await expect(watching).rejects.toThrow(failureWith("cluster-refused"));
});

it("lists large objects in smaller pages", async () => {
  const large = "x".repeat(1 << 20);
  const asked: number[] = [];
  const env = await apiServer(({ url }, response) => {
    const words = new URL(url, "http://localhost").searchParams;
    const [limit, first] = [Number(words.get("limit")), Number(words.get("continue") ?? 0)];
    asked.push(limit);
    const end = Math.min(first + limit, 12);
    const items = Array.from({ length: end - first }, (_, index) => ({
      metadata: { name: `s${first + index}`, large },
    }));
    response.end(JSON.stringify({ metadata: { continue: end < 12 ? String(end) : "" }, items }));
  });
  const { items } = await listAll<{ metadata: { name: string } }>((await openCluster(env)).api, selection);
  expect(items.map(({ metadata }) => metadata.name)).toEqual(Array.from({ length: 12 }, (_, index) => `s${index}`));
  expect(asked).toEqual([100, 10, ...Array(12).fill(1)]);
});
