import { expect, it } from "vitest";
import { userErrorWith } from "../../core/testdata/reported.ts";
import { describeRight, neededRights } from "../../kubernetes/access.ts";
import { openCluster } from "../../kubernetes/cluster.ts";
import type { Job } from "../../kubernetes/objects.ts";
import { pushShell } from "../../kubernetes/testdata/image.ts";
import { grant, nobody } from "../../kubernetes/testdata/user.ts";
import { applySchedule, listSchedules, pauseSchedule, removeSchedule } from "./schedule.ts";
import { engineOfTest, until } from "./testdata/cluster.ts";
import { shell, textOf } from "./testdata/program.ts";

it("is created, triggered, changed, paused and removed", { timeout: 180_000 }, async () => {
  const test = await engineOfTest();
  const { admin, env } = test;
  const cluster = await openCluster(env);
  const image = await pushShell(test.registry);
  const apply = (word: string) =>
    applySchedule(
      cluster,
      shell(image, "echo $A", { name: "nightly", env: { A: word } }),
      { schedule: "0 3 * * *", timeZone: "Europe/Berlin" },
      { copy: false, env },
    );
  expect(await apply("one")).toMatchObject({ change: "created", schedule: { name: "nightly", state: "active" } });

  /** As `kubectl create job --from` does. */
  const trigger = async (name: string) => {
    const [{ metadata, spec }] = (await test.list<{
      metadata: Job["metadata"];
      spec: { jobTemplate: Pick<Job, "metadata" | "spec"> };
    }>("cronjobs")) as [never];
    const { name: owner, uid } = metadata as Job["metadata"];
    const { metadata: template, spec: jobSpec } = (spec as { jobTemplate: Pick<Job, "metadata" | "spec"> }).jobTemplate;
    const ownerReferences = [{ apiVersion: "batch/v1", kind: "CronJob", name: owner, uid, controller: true }];
    const body = {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { ...template, name, ownerReferences },
      spec: jobSpec,
    };
    await admin.api.ask("POST", test.path("jobs"), { body });
    const engine = test.engine();
    const id = `k8s:${name}`;
    const text = await textOf(engine.logs(id, { follow: true }));
    return { text, state: (await engine.collect(id)).status.state };
  };
  expect(await trigger("nightly-1")).toEqual({ text: "one\n", state: "succeeded" });
  expect(await test.engine().list()).toMatchObject([{ id: "k8s:nightly-1", state: "succeeded" }]);

  const names = async () => (await test.list("secrets")).map(({ metadata }) => metadata.name).sort();
  const before = await names();
  expect(await pauseSchedule(cluster, "nightly", true)).toMatchObject({ state: "paused" });
  expect(await apply("two")).toMatchObject({ change: "updated", schedule: { state: "paused" } });
  const after = await names();
  expect(after).toHaveLength(before.length);
  expect(after.filter((name) => before.includes(name))).toEqual([]);
  expect(await trigger("nightly-2")).toEqual({ text: "two\n", state: "succeeded" });
  expect(await pauseSchedule(cluster, "nightly", false)).toMatchObject({ state: "active" });
  expect(await listSchedules(cluster, false)).toMatchObject([
    { name: "nightly", schedule: "0 3 * * *", timeZone: "Europe/Berlin", state: "active" },
  ]);

  await removeSchedule(cluster, "nightly");
  await until(async () => {
    const left = await Promise.all([test.list("cronjobs"), test.list("jobs"), test.list("secrets")]);
    return left.flat().length === 0;
  }, "nothing left");
  expect(await listSchedules(cluster, true)).toEqual([]);
});

it("needs the rights that docs/kubernetes.md lists, no other, and names one that is missing", {
  timeout: 300_000,
}, async () => {
  const test = await engineOfTest();
  const image = await pushShell(test.registry);
  const env = await nobody(test);
  const rights = [
    ...["create", "get", "list", "patch", "delete"].map((verb) => ({ group: "batch", resource: "cronjobs", verb })),
    { group: "", resource: "secrets", verb: "delete" },
  ];
  const everything = async () => {
    const cluster = await openCluster(env);
    for (const word of ["one", "two"]) {
      const program = shell(image, "echo $A", { name: "nightly", env: { A: word } });
      await applySchedule(cluster, program, { schedule: "0 3 * * *" }, { copy: false, env });
    }
    await pauseSchedule(cluster, "nightly", true);
    expect(await listSchedules(cluster, false)).toMatchObject([{ name: "nightly", state: "paused" }]);
    await removeSchedule(cluster, "nightly");
  };
  const all = [...neededRights, ...rights];
  await grant(test, env, all);
  await everything();
  for (const right of rights) {
    await grant(test, env, all, right);
    const error = await everything().catch((error: Error) => error);
    expect(error, describeRight(right)).toEqual(userErrorWith("cluster-refused"));
    expect((error as Error).message).toContain(`may not ${describeRight(right)} in the namespace ${test.namespace}`);
  }
});
