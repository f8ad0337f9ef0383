import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import fc from "fast-check";
import { expect, it } from "vitest";
import { pushImage, serverOfTest, stateOfTest } from "../registry-server/testdata/fixture.ts";

const count = 1000;
/** Results that are not stored yet: a pack on its way to the registry, and those that come meanwhile. */
const bound = 400;

/** Runs a map in a process. @returns the items that ran, until so many did and the process was killed */
async function run(image: string, env: Record<string, string>, killAfter = Number.POSITIVE_INFINITY) {
  const node = ["--preserve-symlinks", "--preserve-symlinks-main", "--disable-warning=ExperimentalWarning"];
  const words = [...node, join(import.meta.dirname, "testdata/keeper.ts"), image, String(count)];
  const child = spawn(process.execPath, words, { env, stdio: ["ignore", "pipe", "inherit"] });
  const ran: number[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    ran.push(Number(line));
    if (ran.length === killAfter) child.kill("SIGKILL");
  });
  const [status] = await once(child, "close");
  return { ran, status };
}

it("goes on after kills at random moments, with the missing items", { timeout: 300_000 }, async () => {
  const { env, paths } = await stateOfTest();
  const { ask, host } = await serverOfTest({ paths });
  const seed = Number(process.env["SLIPWAY_TEST_SEED"] ?? Date.now() % 1e6);
  process.stderr.write(`seed ${seed}\n`);
  for (const [round, killAfter] of fc.sample(fc.integer({ min: 1, max: count - 1 }), { seed, numRuns: 4 }).entries()) {
    const digest = await pushImage(ask, `team/app${round}`, "t", [`code ${round}`]);
    const image = `${host}/team/app${round}@${digest}`;
    const first = await run(image, env, killAfter);
    expect(first.status).toBeNull();
    const second = await run(image, env);
    expect(second.status).toBe(0);
    // Items that had not begun run, and of the others no more than were on their way.
    const kept = new Set(Array.from({ length: count }, (_, item) => item).filter((item) => !second.ran.includes(item)));
    expect([...kept].every((item) => first.ran.includes(item))).toBe(true);
    expect(first.ran.length - kept.size).toBeLessThanOrEqual(bound);
    expect((await run(image, env)).ran).toEqual([]);
  }
});

it("lets two programs do the same map at once", { timeout: 300_000 }, async () => {
  const { env, paths } = await stateOfTest();
  const { ask, host } = await serverOfTest({ paths });
  const image = `${host}/team/app@${await pushImage(ask, "team/app", "t", ["code"])}`;
  const both = await Promise.all([run(image, env), run(image, env)]);
  for (const { ran, status } of both) expect([status, new Set(ran).size]).toEqual([0, ran.length]);
  expect(new Set(both.flatMap(({ ran }) => ran)).size).toBe(count);
  expect((await run(image, env)).ran).toEqual([]);
});
