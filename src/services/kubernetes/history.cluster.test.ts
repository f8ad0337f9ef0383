import { expect, it } from "vitest";
import { openCluster } from "../../kubernetes/cluster.ts";
import { restartService, rollBackService, serviceHistory } from "./history.ts";
import { answering, serviceOfTest } from "./testdata/service.ts";
import { waitUntilReady } from "./wait.ts";

it("goes back to earlier variables and restarts, and the next apply still decides", { timeout: 240_000 }, async () => {
  const { cluster, write, rollOut, apply, notices } = await serviceOfTest();
  const opened = await openCluster(cluster.env);
  for (const value of ["1", "2"]) {
    write(answering, { env: [{ name: "A", value }] });
    expect((await rollOut()).error).toBe("");
  }
  const causes = async () => (await serviceHistory(opened, "web")).map(({ cause }) => cause?.replace(/^.*?: /, ""));
  await expect.poll(causes).toEqual(["created", "changed envFrom[0].configMapRef.name"]);
  const ready = () => waitUntilReady(opened, ["web"], { timeLimit: 120, notice: (text) => notices.push(text) });

  expect((await rollBackService(opened, "web", undefined)).revision).toBe(1);
  expect(await ready()).toEqual(new Map());
  const current = (await serviceHistory(opened, "web")).find(({ isCurrent }) => isCurrent);
  expect(current).toMatchObject({ revision: 3, cause: expect.stringMatching(/rollback to revision 1$/) });
  expect((await apply(true)).map(({ kind }) => kind)).toEqual(["Deployment"]);

  const before = (await cluster.pods()).map(({ metadata }) => metadata.name);
  await restartService(opened, "web");
  expect(await ready()).toEqual(new Map());
  const after = (await cluster.pods()).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  expect(after.filter(({ metadata }) => before.includes(metadata.name))).toEqual([]);

  expect((await rollOut()).error).toBe("");
  expect(await apply(true)).toEqual([]);
});
