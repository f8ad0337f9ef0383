import { expect, it } from "vitest";
import { slowRegistry } from "../../containers/testdata/slow-registry.ts";
import { pushNew } from "../../kubernetes/testdata/image.ts";
import { answering, serviceOfTest } from "./testdata/service.ts";

const timeout = 120_000;

it("says which image a pod of a service waits for, and since when", { timeout }, async () => {
  const { cluster, notices, write, rollOut } = await serviceOfTest();
  const slow = await slowRegistry(cluster.registry);
  const image = slow.image(await pushNew(cluster.registry));
  write(answering, { image });
  const rolledOut = rollOut();
  const pulling = new RegExp(`^web: 0 of 1 pods are ready\\. Waiting for pod \\S+: pulling ${image} \\(\\d+ s\\)$`);
  const told = () => notices.filter((text) => pulling.test(text));
  await expect.poll(() => told().length, { timeout: 60_000, message: notices.join("\n") }).toBeGreaterThan(2);
  expect(new Set(told()).size).toBe(told().length);
  slow.release();
  expect(await rolledOut).toMatchObject({ error: "" });
});

it("says all 5 seconds that a service waits for a node", { timeout }, async () => {
  const { write, rollOut, notices } = await serviceOfTest();
  write(answering, { resources: { instanceType: "huge" } });
  const { error } = await rollOut({ timeLimit: 20 });
  expect(error).toMatch(/\[service-not-ready\]$/);
  const told = notices.filter((text) => /Waiting for a node for pod \S+: .*Insufficient memory/.test(text));
  const seconds = told.map((text) => Number(/\((\d+) s\)$/.exec(text)?.[1]));
  expect(seconds.length).toBeGreaterThanOrEqual(4);
  expect(Math.max(...seconds.slice(1).map((each, index) => each - (seconds[index] ?? 0)))).toBeLessThanOrEqual(8);
});
