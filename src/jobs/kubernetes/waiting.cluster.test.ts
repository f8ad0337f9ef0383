import { describe, expect, it } from "vitest";
import { slowRegistry } from "../../containers/testdata/slow-registry.ts";
import { pushNew, pushShell } from "../../kubernetes/testdata/image.ts";
import type { Program } from "../program.ts";
import { engineOfTest, type TestEngine, until } from "./testdata/cluster.ts";
import { shell } from "./testdata/program.ts";

/** Milliseconds between two lines on a machine that is busy. The exact time is tested with the heartbeat. */
const busy = 8000;

/** Follows a job, and notes when people are told of it. */
async function follow(cluster: TestEngine, program: Program) {
  const told: { readonly text: string; readonly at: number }[] = [];
  const engine = cluster.engine({ notice: (text) => told.push({ text, at: performance.now() }) });
  const id = await engine.submit(program);
  const start = performance.now();
  let toldBefore = 0;
  const log = (async () => {
    let text = "";
    for await (const { data } of engine.logs(id, { follow: true })) {
      if (text === "") toldBefore = told.length;
      text += data.toString();
    }
    return text;
  })();
  return {
    id,
    log,
    engine,
    /** Settles with the lines that begin so, once there are some. */
    lines: (words: RegExp, count = 3) =>
      until(
        async () => {
          const found = told.filter(({ text }) => words.test(text));
          return found.length >= count && found.map(({ text }) => text);
        },
        `${words} ${count} times, in ${JSON.stringify(told)}`,
      ),
    longestSilence: () => {
      const times = [start, ...told.map(({ at }) => at)];
      return Math.max(...times.slice(1).map((at, index) => at - (times[index] ?? 0)));
    },
    /** What was told after the program had printed something. */
    toldAfter: () => told.slice(toldBefore).map(({ text }) => text),
  };
}

describe("a job that waits says for what, all 5 seconds", () => {
  it("for its image, and is silent once its program runs", { timeout: 120_000 }, async () => {
    const cluster = await engineOfTest();
    const slow = await slowRegistry(cluster.registry);
    const image = slow.image(await pushNew(cluster.registry));
    const job = await follow(cluster, shell(image, "echo begun; busybox sleep 10; echo over"));
    const [first, , third = ""] = await job.lines(new RegExp(`^Waiting for pod \\S+: pulling ${image} \\(\\d+ s\\)$`));
    expect(third).not.toBe(first);
    expect(job.longestSilence()).toBeLessThan(busy);
    slow.release();
    expect(await job.log).toBe("begun\nover\n");
    expect(job.toldAfter().filter((text) => !text.includes("count the end of pod"))).toEqual([]);
  });

  it("for a node", { timeout: 120_000 }, async () => {
    const cluster = await engineOfTest();
    const image = await pushShell(cluster.registry);
    const job = await follow(cluster, shell(image, "true", { resources: { cpu: 5000 } }));
    await job.lines(/^Waiting for a node for pod \S+: .*Insufficient cpu.* \(\d+ s\)$/);
    expect(job.longestSilence()).toBeLessThan(busy);
    await job.engine.cancel(job.id);
    await job.log;
  });

  it("for room in a quota", { timeout: 120_000 }, async () => {
    const cluster = await engineOfTest();
    const image = await pushShell(cluster.registry);
    const quota = { metadata: { name: "q" }, spec: { hard: { pods: "0" } } };
    await cluster.admin.api.ask("POST", `/api/v1/namespaces/${cluster.namespace}/resourcequotas`, { body: quota });
    await until(async () => {
      const path = `/api/v1/namespaces/${cluster.namespace}/resourcequotas/q`;
      return (await cluster.admin.api.ask<{ status?: { used?: object } }>("GET", path)).status?.used;
    }, "a quota that is counted");
    const job = await follow(cluster, shell(image, "true"));
    await job.lines(/^Waiting for room in the namespace's quota: exceeded quota: q, .* \(\d+ s\)$/);
    expect(job.longestSilence()).toBeLessThan(busy);
    await job.engine.cancel(job.id);
    await job.log;
  });

  it("for the next attempt", { timeout: 120_000 }, async () => {
    const cluster = await engineOfTest();
    const image = await pushShell(cluster.registry);
    // The cluster waits for ten seconds.
    const job = await follow(cluster, shell(image, "exit 3", { retries: 1 }));
    await job.log;
    await job.lines(/^Attempt 1 of 2 failed with status 3; waiting for the next one \(\d+ s\)$/, 1);
    expect(job.longestSilence()).toBeLessThan(busy);
  });
});
