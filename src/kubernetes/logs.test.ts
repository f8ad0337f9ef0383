import type { ServerResponse } from "node:http";
import { afterEach, expect, it, vi } from "vitest";
import { failureWith } from "../core/testdata/reported.ts";
import { openCluster } from "./cluster.ts";
import { podLog } from "./logs.ts";
import { apiServer } from "./testdata/api-server.ts";

afterEach(() => void vi.useRealTimers());

/** Follows a log whose connections are answered so, one after the other. */
async function follow(...answers: readonly ((response: ServerResponse) => void)[]): Promise<string> {
  let asked = 0;
  const env = await apiServer((_, response) => answers[asked++]?.(response));
  const { api } = await openCluster(env);
  const isOver = () => asked >= answers.length - 1;
  let text = "";
  const options = { follow: true, isOver, change: () => new Promise<void>(() => {}) };
  for await (const piece of podLog(api, { namespace: "default", name: "a" }, options)) text += piece.toString();
  return text;
}

/** A connection over which nothing comes for two minutes. */
function silent(response: ServerResponse): void {
  response.flushHeaders();
  setTimeout(() => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 120_000 });
    response.destroy();
  }, 50);
}

const last = (response: ServerResponse) => void response.end("2026-01-01T00:00:00.000000000Z hi\n");

it("waits for a program that prints nothing for long", async () => {
  expect(await follow(silent, silent, silent, silent, silent, last)).toBe("hi\n");
});

it("asks a busy server again", async () => {
  expect(await follow((response) => void response.writeHead(429).end("{}"), last, last)).toMatch(/^(hi\n)+$/);
});

it("asks again after a server was away that does not know yet who may do what", async () => {
  const away = (response: ServerResponse) => void response.destroy();
  const forbid = (response: ServerResponse) => void response.writeHead(403).end("{}");
  expect(await follow(away, forbid, last)).toBe("hi\n");
  await expect(follow(forbid, last, last)).rejects.toThrow(failureWith("cluster-refused"));
});

it("asks for the last lines once, and then for all since the last one, with their times", async () => {
  const asked: URLSearchParams[] = [];
  const line = (second: number, text: string) => `2026-01-01T00:00:0${second}.000000001Z ${text}\n`;
  const answers = [line(2, "b"), `${line(2, "b")}${line(3, "c")}`];
  const env = await apiServer(({ url }, response) => {
    asked.push(new URL(url, "http://a").searchParams);
    response.end(answers[asked.length - 1]);
  });
  const { api } = await openCluster(env);
  const since = new Date("2025-12-31T00:00:00Z");
  const options = { follow: true, isOver: () => asked.length > 0, change: async () => {} };
  let text = "";
  const shown = { tail: 1, since, timestamps: true };
  for await (const piece of podLog(api, { namespace: "default", name: "a" }, { ...options, ...shown })) text += piece;
  expect(text).toBe(`${line(2, "b")}${line(3, "c")}`);
  expect(asked.map((query) => [query.get("tailLines"), query.get("sinceTime")])).toEqual([
    ["1", "2025-12-31T00:00:00.000Z"],
    [null, "2026-01-01T00:00:01Z"],
  ]);
});
