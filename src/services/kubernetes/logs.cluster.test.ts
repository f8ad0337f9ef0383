import { describe, expect, it } from "vitest";
import { userErrorWith } from "../../core/testdata/reported.ts";
import { openCluster } from "../../kubernetes/cluster.ts";
import { showServiceLogs } from "./logs.ts";
import { serviceOfTest } from "./testdata/service.ts";

type Test = Awaited<ReturnType<typeof serviceOfTest>>;

/** Counts, from 1, as long as it runs. */
const counting =
  "trap 'exit 0' TERM; busybox httpd -p 8080 -h /tmp; n=0; while :; do n=$((n+1)); echo $A line $n; busybox sleep 0.2; done";

async function logs({ place }: Test, options: { readonly follow: boolean; readonly signal?: AbortSignal }) {
  const texts: string[] = [];
  const done = showServiceLogs(place, "web", { notice: () => {}, ...options }, async (lines) => {
    texts.push(lines.toString());
  });
  return { done, lines: () => texts.join("").split("\n").slice(0, -1) };
}

describe("the log of a service", { timeout: 240_000 }, () => {
  it("is that of its one pod, as it is", async () => {
    const test = await serviceOfTest();
    test.write(counting, { env: [{ name: "A", value: "a" }] });
    expect((await test.rollOut()).error).toBe("");
    const { done, lines } = await logs(test, { follow: false });
    await done;
    expect(lines().slice(0, 2)).toEqual(["a line 1", "a line 2"]);
    await expect(
      showServiceLogs(test.place, "wob", { follow: true, notice: () => {} }, async () => {}),
    ).rejects.toThrow(userErrorWith("service-not-found", "wob"));
  });

  it("goes on with pods that come, each by its name, until the service is gone", async () => {
    const test = await serviceOfTest();
    test.write(counting, { env: [{ name: "A", value: "a" }] });
    expect((await test.rollOut()).error).toBe("");
    const { done, lines } = await logs(test, { follow: true });
    await expect.poll(() => lines().length, { timeout: 30_000 }).toBeGreaterThan(3);
    test.write(counting, { env: [{ name: "A", value: "b" }], resources: { replicas: 2 } });
    expect((await test.rollOut()).error).toBe("");
    const pods = (await test.cluster.pods()).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    await expect
      .poll(() => pods.every(({ metadata }) => lines().includes(`[${metadata.name}] b line 3`)), { timeout: 30_000 })
      .toBe(true);
    const { namespace, api } = test.place;
    const query = { propagationPolicy: "Background" };
    await api.ask("DELETE", `/apis/apps/v1/namespaces/${namespace}/deployments/web`, { query });
    await done;
    // Each pod's lines are all there, once, and in order.
    const ofPods = Map.groupBy(lines(), (line) => /^\[[^\]]+\]/.exec(line)?.[0] ?? "");
    expect(ofPods.size).toBeGreaterThanOrEqual(3);
    const first = ofPods.get("") ?? [];
    for (const [pod, some] of ofPods) {
      const numbers = some.map((line) => Number(/ line (\d+)$/.exec(line)?.[1]));
      const [from = 0] = numbers;
      // The first pod's had no name while it was alone.
      expect([1, first.length + 1], pod).toContain(from);
      expect(numbers, pod).toEqual(numbers.map((_, index) => index + from));
    }
  });

  it("goes on through restarts of a program, and ends when it is interrupted", async () => {
    const test = await serviceOfTest();
    test.write("echo begun; busybox sleep 1; echo ending; exit 1");
    await test.apply();
    const stop = new AbortController();
    const place = { ...test.place, api: (await openCluster(test.cluster.env)).api };
    const { done, lines } = await logs({ ...test, place }, { follow: true, signal: stop.signal });
    await expect.poll(() => lines().length, { timeout: 60_000 }).toBeGreaterThanOrEqual(6);
    const asked = place.api.requests;
    expect(lines().slice(0, 6)).toEqual(["begun", "ending", "begun", "ending", "begun", "ending"]);
    expect(asked, "asks only while something runs").toBeLessThan(60);
    stop.abort();
    await expect(done).rejects.toThrow(/abort/);
  });
});
