import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { expect, onTestFinished } from "vitest";
import { temporaryFolder } from "../../core/testdata/folder.ts";
import { readRun, runIds } from "../../runs/read.ts";
import type { CallsStart } from "../program-protocol.ts";
import type { WorkerEngine } from "../worker.ts";
import { callAll } from "./batch.ts";

/** The process, in the container or pod `host`, that last said that it runs an item. */
export interface Victim {
  readonly pid: number;
  readonly host: string;
}

export interface Disturbance {
  readonly kill: (victim: Victim) => Promise<void>;
  /** Breaks connections between helper and workers, or what they need. */
  readonly cut?: () => void | Promise<void>;
}

/** Counts which items run, and where: the function `mark` tells it. */
export async function startCounter() {
  const ran = new Map<number, number>();
  const workers = new Map<string, Victim>();
  const server = createServer((request, response) => {
    const query = new URL(request.url ?? "/", "http://localhost").searchParams;
    const n = Number(query.get("n"));
    ran.set(n, (ran.get(n) ?? 0) + 1);
    const victim = { pid: Number(query.get("pid")), host: query.get("host") ?? "" };
    workers.set(`${victim.host} ${victim.pid}`, victim);
    response.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { ran, workers, port: (server.address() as AddressInfo).port };
}

/** Runs from a seed, given by CHAOS_SEED or drawn, as many as CHAOS_RUNS says. */
export function seeds(usual: number): number[] {
  const { CHAOS_SEED: given, CHAOS_RUNS: runs } = process.env;
  const first = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
  return Array.from({ length: Number(runs ?? usual) }, (_, index) => first + index);
}

/**
 * Calls `mark` for many items while workers are killed and connections are cut. Each result is right and in its place,
 * and each item ran as often as the record says.
 */
export async function chaos(
  seed: number,
  engine: WorkerEngine,
  url: string,
  counter: Awaited<ReturnType<typeof startCounter>>,
  { kill, cut }: Disturbance,
  start: Partial<CallsStart>,
): Promise<void> {
  const random = generator(seed);
  const { ran, workers } = counter;
  ran.clear();
  workers.clear();
  const home = temporaryFolder();
  const count = 2000;
  const inputs = Array.from({ length: count }, (_, n) => [url, n]);
  let kills = 1 + Math.floor(random() * 5);
  let cuts = cut === undefined ? 0 : Math.floor(random() * 5);
  const killed = kills;
  let isOver = false;
  const calls = callAll(engine, inputs, { name: "mark", retries: 100, ...start }, { home }).finally(() => {
    isOver = true;
  });
  const disturb = async () => {
    while (!isOver && kills + cuts > 0) {
      await delay(random() * 400);
      if (cuts > 0 && random() < 0.5) {
        cuts -= 1;
        await cut?.();
        continue;
      }
      const [key, victim] = [...workers][Math.floor(random() * workers.size)] ?? [];
      if (key === undefined || victim === undefined || kills === 0) continue;
      kills -= 1;
      workers.delete(key);
      await kill(victim);
    }
  };
  const [{ outcomes }] = await Promise.all([calls, disturb()]);
  const what = `CHAOS_SEED=${seed}`;
  expect(outcomes, what).toEqual(inputs.map((_, n) => ({ value: 2 * n })));
  const [id = ""] = runIds({ XDG_STATE_HOME: home });
  const items = readRun(id, { XDG_STATE_HOME: home })?.batches[0]?.calls ?? [];
  const recorded = items.map(({ index, state, runs = 1 }) => ({ index, state, runs }));
  // A worker that is killed may have had a call that it had not begun.
  const differing = recorded.filter(({ index, runs }) => runs !== ran.get(index));
  expect(differing.filter(({ index, runs }) => runs < (ran.get(index) ?? 0)), what).toEqual([]);
  expect(recorded.filter(({ state }) => state !== "done"), what).toEqual([]);
  if (cut === undefined) expect(differing.length, what).toBeLessThanOrEqual(killed);
}

/** Mulberry32. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
