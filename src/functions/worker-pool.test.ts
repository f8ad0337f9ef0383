import { setTimeout as delay, setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { CallOutcome, CallQueue, QueueListener } from "./call-queue.ts";
import type { CallsStart } from "./program-protocol.ts";
import { type Behaviour, MemoryWorkers } from "./testdata/memory-workers.ts";
import { WorkerPool } from "./worker-pool.ts";

const usual: CallsStart = {
  ...{ id: "double", name: "double", after: [], items: null, isMap: true, programArguments: [], env: {} },
  ...{ network: "none", resources: {} },
};
const spec = { name: "double", programArguments: [], env: {}, network: "none", resources: {} } as const;

function poolOf(
  behaviour: Behaviour,
  { room = 2, width = 1, maxCalls }: { room?: number; width?: number; maxCalls?: number } = {},
) {
  const engine = new MemoryWorkers(behaviour, room, width);
  const pool = new WorkerPool(engine, spec, () => {}, { maxCalls, room: () => undefined });
  return { engine, pool };
}

/** Runs items to their end. */
function run(pool: WorkerPool, count: number, start: Partial<CallsStart> = {}) {
  const outcomes: (CallOutcome | undefined)[] = new Array(count).fill(undefined);
  const notices: string[] = [];
  const output: string[] = [];
  const done = Promise.withResolvers<void>();
  let queue: CallQueue | undefined;
  const listener: QueueListener = {
    onBegin: () => {},
    onOutcome: ({ index }, outcome) => {
      expect(outcomes[index]).toBeUndefined();
      outcomes[index] = outcome;
      if (queue?.open === 0) done.resolve();
    },
    onOutput: (task, data) => void output.push(`${task?.index}: ${data}`),
    onNotice: (text) => void notices.push(text),
    onFailed: (error) => done.reject(error),
  };
  queue = pool.add({ ...usual, ...start }, listener);
  for (let index = 0; index < count; index += 1) queue.add(index, [Buffer.from(`[${index}]`)]);
  pool.wake();
  const values = () => outcomes.map((each) => (each && "bodies" in each ? JSON.parse(String(each.bodies[0])) : each));
  return { queue, values, notices, output, done: done.promise.finally(() => queue && pool.remove(queue)) };
}

const doubled = (count: number) => Array.from({ length: count }, (_, index) => 2 * index);
const double: Behaviour = (n) => 2 * n;

describe("a pool of workers", () => {
  it("prints what comes after the last reply", async () => {
    const { engine, pool } = poolOf(double, { room: 1 });
    await run(pool, 1).done;
    const printed = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    engine.workers[0]?.print("from a child\n");
    expect(printed.mock.calls.map(([data]) => `${data}`)).toEqual(["from a child\n"]);
    printed.mockRestore();
  });

  it("takes what modules print at first for output, wherever it is cut", async () => {
    const { engine, pool } = poolOf(double, { room: 1 });
    engine.preface = ["loading {", '{"type":"hel', 'p"}\nand more', '{"type":"h'];
    const { values, output, done } = run(pool, 3);
    await done;
    expect(values()).toEqual([0, 2, 4]);
    expect(output.join("").replaceAll(/\w+: /g, "")).toBe('loading {{"type":"help"}\nand more{"type":"h');
  });

  it("runs each call once, in few workers, which it ends", async () => {
    const { engine, pool } = poolOf(double);
    const { values, done } = run(pool, 1000);
    await done;
    expect(values()).toEqual(doubled(1000));
    expect(engine.workers).toHaveLength(2);
    expect(engine.workers.flatMap(({ ran }) => ran).sort((one, other) => one - other)).toEqual(
      doubled(1000).map((n) => n / 2),
    );
    await pool.close(false);
    await turn();
    await turn();
    expect(engine.running).toEqual([]);
  });

  it("uses the workers of a call for the next one", async () => {
    const { engine, pool } = poolOf(double);
    for (let index = 0; index < 5; index += 1) await run(pool, 1, { isMap: false }).done;
    expect(engine.workers).toHaveLength(1);
    await Promise.all(Array.from({ length: 5 }, () => run(pool, 1, { isMap: false }).done));
    expect(engine.workers).toHaveLength(2);
  });

  it("gives single calls that wait for each other workers of their own, after a while", async () => {
    const all = Promise.withResolvers<void>();
    let count = 0;
    const { pool } = poolOf(async (n) => {
      count += 1;
      if (count === 6) all.resolve();
      await all.promise;
      return n;
    });
    await Promise.all(Array.from({ length: 6 }, () => run(pool, 1, { isMap: false }).done));
  });

  it("starts as many workers as the user says, and not more than there are items", async () => {
    const { engine, pool } = poolOf(async (n) => delay(5, 2 * n));
    await run(pool, 40, { parallelism: 7 }).done;
    expect(engine.workers).toHaveLength(7);
    const few = poolOf(double);
    await run(few.pool, 3, { parallelism: 7 }).done;
    expect(few.engine.workers).toHaveLength(3);
  });

  it("starts a worker for each call, or ends it after so many", async () => {
    const fresh = poolOf(double);
    const { values, done } = run(fresh.pool, 6, { fresh: true });
    await done;
    expect(values()).toEqual(doubled(6));
    expect(fresh.engine.workers.map(({ ran }) => ran.length)).toEqual([1, 1, 1, 1, 1, 1]);
    const limited = poolOf(double, { maxCalls: 4 });
    await run(limited.pool, 10).done;
    expect(limited.engine.workers.every(({ ran }) => ran.length <= 4)).toBe(true);
    expect(limited.engine.workers.length).toBeGreaterThanOrEqual(3);
  });

  it("hands several calls to a worker that runs several at once", async () => {
    let now = 0;
    let most = 0;
    const { pool } = poolOf(
      async (n) => {
        now += 1;
        most = Math.max(most, now);
        await delay(1);
        now -= 1;
        return 2 * n;
      },
      { room: 1, width: 8 },
    );
    const { values, done } = run(pool, 100, { concurrency: 8 });
    await done;
    expect(values()).toEqual(doubled(100));
    expect(most).toBe(8);
  });

  it("takes calls back from behind a slow one", async () => {
    const slow = Promise.withResolvers<number>();
    const { engine, pool } = poolOf((n) => (n === 200 ? slow.promise : 2 * n));
    const { values, done } = run(pool, 400);
    await expect.poll(() => values().filter((each) => each === undefined)).toHaveLength(1);
    expect(values()[200]).toBeUndefined();
    slow.resolve(400);
    await done;
    expect(engine.workers).toHaveLength(2);
  });
});

describe("a call that fails", () => {
  it("is tried again as often as the user says", async () => {
    const counts = new Map<number, number>();
    const { pool } = poolOf((n) => {
      const count = (counts.get(n) ?? 0) + 1;
      counts.set(n, count);
      if (n % 2 === 1 && count < 3) throw new Error("not yet");
      return 2 * n;
    });
    const { values, notices, done } = run(pool, 4, { retries: 2 });
    await done;
    expect(values()).toEqual([0, 2, 4, 6]);
    expect(notices).toContain("double, item 1: attempt 2 of 3 failed; trying again");
    const { values: failing, done: ended } = run(pool, 1, { retries: 0 });
    counts.clear();
    counts.set(0, -5);
    await ended;
    expect(failing()).toEqual([0]);
  });

  it("has the status of its worker, and the calls behind it run elsewhere", async () => {
    const { engine, pool } = poolOf((n, worker) => {
      if (n === 3) worker.kill({ status: 139 });
      return 2 * n;
    });
    const { values, done } = run(pool, 20);
    await done;
    expect(values()).toEqual(doubled(20).with(3, { end: { status: 139 } } as never));
    expect(engine.workers.flatMap(({ ran }) => ran).sort((one, other) => one - other)).toEqual(
      doubled(20).map((n) => n / 2),
    );
  });

  it("runs once more, and no other, though replies before it were not read yet", async () => {
    const fatal = new Set([100, 103, 107, 112, 150]);
    const { engine, pool } = poolOf(
      async (n, worker) => {
        await delay(1);
        if (fatal.delete(n)) worker.kill();
        return 2 * n;
      },
      { room: 1 },
    );
    const { values, done } = run(pool, 200, { retries: 1 });
    await done;
    expect(values()).toEqual(doubled(200));
    const ran = engine.workers.flatMap((worker) => worker.ran);
    expect(ran.filter((n, index) => ran.indexOf(n) < index)).toEqual([100, 103, 107, 112, 150]);
  });

  it("took longer than its time limit", async () => {
    const { pool } = poolOf((n) => (n === 1 ? new Promise(() => {}) : 2 * n));
    const { values, done } = run(pool, 6, { timeLimit: 0.5 });
    await done;
    expect(values()[1]).toMatchObject({
      end: { reason: { problem: "It took longer than its time limit of 0.5 s." } },
    });
    expect(values().filter((each) => typeof each === "number")).toHaveLength(5);
  });

  it("runs again if its worker was lost, five times at most", async () => {
    let lost = 0;
    const { pool } = poolOf((n, worker) => {
      if (n === 2 && lost < 4) {
        lost += 1;
        worker.kill({ status: 1, isLost: true });
      }
      return 2 * n;
    });
    const { values, notices, done } = run(pool, 5);
    await done;
    expect(values()).toEqual(doubled(5));
    expect(notices).toHaveLength(4);
    lost = -1;
    const again = run(pool, 5);
    await again.done;
    expect(again.values()[2]).toMatchObject({
      end: { reason: { problem: "Its worker was deleted or lost, for the 5th time." } },
    });
  });
});

describe("a program that does not serve calls", () => {
  it("fails them all when three workers have ended", async () => {
    const { engine, pool } = poolOf(double);
    engine.failing = Array.from({ length: 10 }, () => ({ status: 3 }));
    const { values, done } = run(pool, 100);
    await done;
    expect(values()).toEqual(new Array(100).fill({ end: { status: 3 } }));
    expect(engine.workers.length).toBeLessThan(6);
  });

  it("fails one call if it sometimes does", async () => {
    const { engine, pool } = poolOf(double);
    engine.failing = [{ status: 3 }];
    const { values, done } = run(pool, 10);
    await done;
    expect(values().filter((each) => typeof each !== "number")).toEqual([{ end: { status: 3 } }]);
  });

  it("is the engine's failure if that says so", async () => {
    const { engine, pool } = poolOf(double);
    engine.failing = [{ status: 1, cause: new RangeError("no such image") }];
    await expect(run(pool, 10).done).rejects.toThrow("no such image");
  });
});

it("cancels calls, and goes on with others", async () => {
  const { engine, pool } = poolOf((n) => (engine.workers.length <= 2 ? new Promise(() => {}) : 2 * n));
  const { queue } = run(pool, 5);
  await expect.poll(() => engine.workers.flatMap(({ ran }) => ran)).toHaveLength(2);
  await pool.cancel(queue);
  expect(engine.running).toEqual([]);
  const { values, done } = run(pool, 3);
  await done;
  expect(values()).toEqual([0, 2, 4]);
});

it("gives each call one right result, whatever becomes of workers and connections", { timeout: 120_000 }, async () => {
  const chaos = fc.record({
    seed: fc.integer(),
    room: fc.integer({ min: 1, max: 6 }),
    width: fc.constantFrom(1, 1, 4),
    kills: fc.integer({ min: 0, max: 12 }),
    cuts: fc.integer({ min: 0, max: 20 }),
    // A call whose worker is lost a fifth time fails.
    losses: fc.integer({ min: 0, max: 4 }),
  });
  const property = fc.asyncProperty(chaos, async ({ seed, room, width, kills, cuts, losses }) => {
    const random = generator(seed);
    const began = new Map<number, number>();
    const { engine, pool } = poolOf(
      (n) => {
        began.set(n, (began.get(n) ?? 0) + 1);
        return random() < 0.1 ? turn(2 * n) : 2 * n;
      },
      { room, width },
    );
    const count = 2000;
    const { values, done, queue } = run(pool, count, { concurrency: width, retries: 100 });
    const victims = { kills, cuts, losses };
    const disturb = async () => {
      while (queue.open > 0) {
        await turn();
        const worker = engine.running[Math.floor(random() * engine.running.length)];
        if (worker === undefined || random() > 0.2) continue;
        if (victims.cuts > 0 && worker.isConnected && random() < 0.5) {
          victims.cuts -= 1;
          worker.disconnect();
          for (let turns = 0; turns < random() * 5; turns += 1) await turn();
          if (!worker.isOver) worker.connect();
        } else if (victims.kills > 0 && queue.open < count) {
          // Not before the first result: three workers that end before they say hello are the program's fault.
          victims.kills -= 1;
          worker.kill();
        } else if (victims.losses > 0) {
          victims.losses -= 1;
          worker.kill({ status: 1, isLost: true });
        }
      }
    };
    await Promise.all([done, disturb()]);
    expect(values()).toEqual(doubled(count));
    // Only calls whose worker ended ran more than once.
    const more = [...began.values()].reduce((sum, times) => sum + times - 1, 0);
    expect(more).toBeLessThanOrEqual((kills + losses) * width);
  });
  await fc.assert(property, { numRuns: 50 });
});

/** Mulberry32. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
}
