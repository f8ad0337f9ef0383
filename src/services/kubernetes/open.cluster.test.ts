import { expect, it, onTestFinished } from "vitest";
import { openCluster } from "../../kubernetes/cluster.ts";
import { openService } from "./open.ts";
import { answering, serviceOfTest } from "./testdata/service.ts";

it("answers through a rollout: no request fails", { timeout: 240_000 }, async () => {
  const { cluster, write, rollOut } = await serviceOfTest();
  const server = (words: string) => `echo ${words} > /dev/shm/index.html; ${answering}`;
  write(server("first"));
  expect((await rollOut()).error).toBe("");
  const over = new AbortController();
  onTestFinished(() => over.abort());
  const url = Promise.withResolvers<string>();
  const options = { port: undefined, signal: over.signal, onUrl: url.resolve, notice: () => {} };
  openService(await openCluster(cluster.env), "web", options).catch(url.reject);
  const ask = async () => {
    const response = await fetch(await url.promise, { headers: { connection: "close" } });
    return (await response.text()).trim();
  };
  expect(await ask()).toBe("first");
  const answers: string[] = [];
  let isOver = false;
  const load = (async () => {
    while (!isOver) answers.push(await ask().catch(String));
  })();
  write(server("second"));
  expect((await rollOut()).error).toBe("");
  isOver = true;
  await load;
  expect(await ask()).toBe("second");
  expect(answers.length).toBeGreaterThan(10);
  expect(answers.filter((answer) => answer !== "first" && answer !== "second")).toEqual([]);
});
