import { expect, it } from "vitest";
import { deleteJob } from "../jobs/kubernetes/submit.ts";
import { describeRight, functionRights, neededRights } from "../kubernetes/access.ts";
import { clusterOfTest, until } from "../kubernetes/testdata/cluster.ts";
import { grant, nobody } from "../kubernetes/testdata/user.ts";
import { PodWorkers } from "./pod-workers.ts";
import { Line } from "./testdata/line.ts";
import { pushProgram } from "./testdata/program.ts";
import type { WorkerEnd } from "./worker.ts";

/** A cluster before Kubernetes 1.35 does not need one, and functions read logs of workers that failed only. */
const unneeded = ["create pods/portforward", "get jobs.batch", "list events", "get pods/log"];
/** Only what is left in the cluster is told without these. */
const forEnds = ["delete jobs.batch", "delete pods"];

it("with the documented rights functions run, and each that is missing is named", { timeout: 400_000 }, async () => {
  const cluster = await clusterOfTest();
  const image = await pushProgram(cluster);
  const env = await nobody(cluster);
  const rights = [...neededRights, ...functionRights];

  /** Calls a function, and stops one of two workers. */
  async function everything(): Promise<{
    readonly ends: WorkerEnd[];
    readonly result?: string;
    readonly told: string;
  }> {
    let told = "";
    const spec = { name: "f", image, programArguments: [], env: { A: "1" }, network: "none", resources: {} } as const;
    const group = await new PodWorkers(env).open(spec, (text) => {
      told += `${text}\n`;
    });
    const [one, other] = [new Line(group), new Line(group)];
    const ended = Promise.all([one.ended, other.ended]);
    const result = await Promise.race([one.call("square", 3), ended.then(() => undefined)]);
    await Promise.race([other.ready, ended]);
    void other.call("waits");
    await other.stop();
    one.end();
    await group.close();
    return { ends: await ended, ...(result === undefined ? {} : { result }), told };
  }

  await grant(cluster, env, rights);
  expect(await everything()).toMatchObject({ result: "9", ends: [{ status: 0 }, {}] });
  for (const right of rights) {
    await grant(cluster, env, rights, right);
    const name = describeRight(right);
    const { result, ends, told } = await everything();
    if (unneeded.includes(name) || forEnds.includes(name)) expect(result, name).toBe("9");
    else expect(String(ends[0]?.cause), name).toContain(`may not ${name} in the namespace ${cluster.namespace}`);
    if (forEnds.includes(name)) expect(told, name).toContain(`may not ${name}`);
    for (const job of await cluster.jobs()) {
      await deleteJob(cluster.admin, job.metadata.name, "Background");
    }
    await until(async () => (await cluster.pods()).length === 0, "no pods");
  }
});
