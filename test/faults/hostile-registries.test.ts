import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { FakeRegistry } from "../../src/registry/client/testdata/fake-registry.ts";
import { StoredImages } from "../../src/registry/client/testdata/stored-images.ts";
import { hostilities } from "./testdata/hostile-registries.ts";
import type { HostileTask } from "./testdata/hostile-victim.ts";
import { type Outcome, problemOf, Victim } from "./testdata/victim.ts";

const limits = { memory: 256, seconds: 10 };
const operations: readonly HostileTask["what"][] = ["list", "inspect", "pull", "copy", "push"];

/** A registry with an image and an index, until the test ends. */
async function registryOfTest(): Promise<FakeRegistry> {
  const registry = await FakeRegistry.start();
  onTestFinished(() => registry.stop());
  const images = new StoredImages(registry, "team/app");
  const digest = images.image({ tag: "v1", layers: ["one", "two"] });
  images.index({ "linux/amd64": digest, "linux/arm64": images.image({ platform: "linux/arm64" }) }, { tag: "index" });
  return registry;
}

/** Does everything with a registry that somebody can do. */
async function useAll({ host }: FakeRegistry): Promise<Outcome[]> {
  const victim = new Victim("hostile-victim.ts", { NO_COLOR: "1", HOME: "/nowhere" }, limits);
  const { host: other } = await registryOfTest();
  const outcomes: Outcome[] = [];
  for (const what of operations) outcomes.push(...(await victim.run({ what, host, other } satisfies HostileTask)));
  return outcomes;
}

beforeAll(() => expect(Object.keys(hostilities).length).toBeGreaterThanOrEqual(40));

it("a registry that is not hostile is listed, inspected, pulled from, copied and pushed to", async () => {
  const outcomes = await useAll(await registryOfTest());
  expect(outcomes.filter(({ status }) => status !== 0)).toEqual([]);
  expect(outcomes).toHaveLength(operations.length + 2);
});

describe("a hostile registry", () => {
  it.each(Object.keys(hostilities))(
    "that %s: ends every operation in time, in little memory, with a sentence",
    async (name) => {
      const registry = await registryOfTest();
      hostilities[name]?.(registry);
      const outcomes = await useAll(registry);
      const problems = outcomes.flatMap((outcome) => {
        const problem = problemOf(outcome, limits);
        return problem === undefined ? [] : [`${outcome.what}: ${problem}`];
      });
      const peaks = outcomes.map(({ what, status, peak, seconds }) => [
        what,
        { status, peak_mib: Math.round(peak), seconds: Number(seconds.toFixed(1)) },
      ]);
      console.log(JSON.stringify({ registry: name, ...Object.fromEntries(peaks), problems }));
      expect(problems).toEqual([]);
      expect(outcomes.length).toBeGreaterThanOrEqual(operations.length);
    },
    120_000,
  );
});
