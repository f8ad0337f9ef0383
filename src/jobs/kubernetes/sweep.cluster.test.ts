import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { userErrorWith } from "../../core/testdata/reported.ts";
import { Api } from "../../kubernetes/api.ts";
import { pushShell } from "../../kubernetes/testdata/image.ts";
import { itemProgram } from "../sweep.ts";
import { engineOfTest, type TestEngine, until } from "./testdata/cluster.ts";
import { shell, textOf } from "./testdata/program.ts";

async function sweep(
  cluster: TestEngine,
  script: string,
  matrix: Readonly<Record<string, readonly string[]>>,
  more: object = {},
) {
  const image = await pushShell(cluster.registry);
  const { env } = cluster;
  return itemProgram(shell(image, script, { matrix, ...more }), { platform: undefined, env });
}

it("runs all items though one fails, and has their output, values and statuses", { timeout: 180_000 }, async () => {
  const cluster = await engineOfTest();
  const matrix = { SEED: ["1", "2", "3"], LR: ["0.1", "it's $HOME", "3", "4"] };
  const script = 'echo "$LR/$SEED"; [ "$LR/$SEED" != "3/2" ] || exit 7';
  const engine = cluster.engine();
  const id = await engine.submit(await sweep(cluster, script, matrix, { env: { A: "b" }, parallelism: 6 }));
  const text = await textOf(engine.logs(id, { follow: true }));
  expect(text.trim().split("\n").sort()).toEqual(
    ["0.1", "it's $HOME", "3", "4"]
      .flatMap((lr, at) => matrix.SEED.map((seed, offset) => `[${at * 3 + offset}] ${lr}/${seed}`))
      .sort(),
  );
  const { status } = await engine.collect(id);
  expect(status).toMatchObject({
    state: "failed",
    items: {
      ...{ total: 12, succeeded: 11, failed: 1, running: 0 },
      failures: [{ index: 7, values: { LR: "3", SEED: "2" }, exitStatus: 7 }],
    },
  });
  // From a machine that knows nothing of it.
  const elsewhere = cluster.engine({}, { XDG_STATE_HOME: cluster.elsewhere });
  expect(await elsewhere.status(id)).toEqual(status);
  expect(await elsewhere.list()).toMatchObject([{ id, items: { succeeded: 11, failed: 1 } }]);
  expect(await textOf(elsewhere.logs(id, { follow: false, item: 7 }))).toBe("3/2\n");
  expect(await textOf(elsewhere.logs(id, { follow: true, item: 0 }))).toBe("0.1/1\n");
  const none = elsewhere.logs(id, { follow: false, item: 12 });
  await expect(none.next()).rejects.toThrow(userErrorWith("command-line-invalid", "--item"));
  const [job] = await cluster.jobs();
  expect(job?.spec).toMatchObject({ completionMode: "Indexed", completions: 12, backoffLimitPerIndex: 0 });
});

it("retries an item alone, and is cancelled with all of them", { timeout: 180_000 }, async () => {
  const cluster = await engineOfTest();
  const engine = cluster.engine();
  const script = '[ "$A" = 1 ] && exit 4; sleep 1000';
  const id = await engine.submit(await sweep(cluster, script, { A: ["0", "1"] }, { retries: 1 }));
  const failed = await until(async () => {
    const { items, state } = await engine.status(id);
    return items?.failed === 1 && { items, state };
  }, "an item that failed");
  expect(failed).toMatchObject({ state: "running", items: { failures: [{ index: 1, exitStatus: 4 }] } });
  expect((await cluster.pods()).length).toBe(3);
  await engine.cancel(id);
  expect(await cluster.pods()).toEqual([]);
  expect(await engine.status(id)).toMatchObject({ state: "cancelled", items: { total: 2, failed: 1 } });
});

it("is submitted with as few requests as a job made by hand, whatever the number of items", {
  timeout: 180_000,
}, async () => {
  const cluster = await engineOfTest();
  const seeds = Array.from({ length: 200 }, (_, index) => String(index));
  const program = await sweep(cluster, "exit 0", { SEED: seeds }, { parallelism: 2 });
  const engine = cluster.engine();
  const asked = vi.spyOn(Api.prototype, "ask");
  const begin = performance.now();
  const id = await engine.submit(program);
  const took = performance.now() - begin;
  const requests = asked.mock.calls.map(([method]) => method);
  asked.mockRestore();
  const [job] = await cluster.jobs();
  expect(job?.spec).toMatchObject({ completions: 200, parallelism: 2 });
  // The pull secret is one object for all items.
  const [secret, ...others] = await cluster.list("secrets");
  expect(others).toEqual([]);

  const metadata = { namespace: cluster.namespace };
  const made = job?.spec as unknown as Readonly<Record<string, unknown>> & {
    readonly template: { readonly spec: object };
  };
  const { selector: _, template, ...spec } = made;
  const byHand = [
    { apiVersion: "v1", kind: "Secret", ...secret, metadata: { ...metadata, name: "by-hand" } },
    {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { ...metadata, name: "by-hand" },
      spec: { ...spec, suspend: true, template: { spec: template.spec } },
    },
  ];
  const file = join(cluster.env["HOME"] ?? "", "by-hand.json");
  writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: byHand }));
  const handBegin = performance.now();
  const kubectl = ["create", "-v=6", "-f", file];
  const { stderr, status } = spawnSync("kubectl", kubectl, { env: cluster.env, encoding: "utf8" });
  const tookByHand = performance.now() - handBegin;
  expect([status, stderr]).toEqual([0, expect.anything()]);
  const requestsByHand = [...stderr.matchAll(/verb="(\w+)"|(GET|POST|PATCH) https/g)].map(
    ([, verb, old]) => verb ?? old,
  );
  console.log({ took, requests, tookByHand, requestsByHand });
  // The list is for jobs that earlier clients left.
  expect(requests).toEqual(["GET", "POST", "POST", "PATCH"]);
  expect(requestsByHand.length).toBeGreaterThanOrEqual(requests.length);
  await engine.cancel(id);
});
