import { expect, it, vi } from "vitest";
import { kubectl } from "./testdata/kubectl.ts";
import { firstWords, nameOf, submitted } from "./testdata/shell.ts";

/** Drains the one node there is, of a job's pods alone, while something is looked at. */
async function drained<Result>(id: string, meanwhile: () => Promise<Result>): Promise<Result> {
  const node = (await kubectl(["get", "nodes", "--output=name"])).trim().replace("node/", "");
  try {
    const which = `--pod-selector=batch.kubernetes.io/job-name=${nameOf(id)}`;
    await kubectl(["drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=60s", which]);
    return await meanwhile();
  } finally {
    await kubectl(["uncordon", node]);
  }
}

const forever = "echo one; until [ -e /tmp/enough ]; do sleep 0.1; done; echo two";

it("fails a job whose node was drained, and says so", async () => {
  const { user, engine, id } = await submitted(forever);
  await firstWords(engine, id);
  const collected = engine.collect(id);
  const { status } = await drained(id, () => collected);
  expect(status).toMatchObject({
    state: "failed",
    reason: expect.stringMatching(/^It was evicted from node/),
  });
  await user.namespace.clear();
});

it("runs a job with retries again once a node takes it, and tells what it waits for", {
  timeout: 120_000,
}, async () => {
  const { user, engine, id } = await submitted(forever, { retries: 1 });
  await firstWords(engine, id);
  const collected = engine.collect(id);
  await drained(id, async () => {
    await vi.waitUntil(() => user.notices.some((text) => /^No node takes it: .*unschedulable/.test(text)), {
      timeout: 40_000,
    });
    expect(await engine.status(id)).toMatchObject({ state: "queued", attempts: 2 });
  });
  await vi.waitUntil(async () => (await engine.status(id)).state === "running", { timeout: 40_000 });
  await user.namespace.kubectl("exec", `job/${nameOf(id)}`, "--", "touch", "/tmp/enough");
  expect((await collected).status).toMatchObject({ state: "succeeded", attempts: 2 });
});
