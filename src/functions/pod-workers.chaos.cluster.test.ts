import { it } from "vitest";
import { clusterOfTest } from "../kubernetes/testdata/cluster.ts";
import { reachableFromPods } from "../kubernetes/testdata/reachable-from-pods.ts";
import { PodWorkers } from "./pod-workers.ts";
import { callAll } from "./testdata/batch.ts";
import { chaos, seeds, startCounter } from "./testdata/chaos.ts";
import { cuttable } from "./testdata/cuttable.ts";
import { pushProgram } from "./testdata/program.ts";

it.each(seeds(2))(
  "no call is lost or runs unseen when pods are deleted and connections are cut: seed %i",
  { timeout: 600_000 },
  async (seed) => {
    const cluster = await clusterOfTest();
    const image = await pushProgram(cluster);
    const { env, cut } = await cuttable(cluster);
    const engine = new PodWorkers(env, [image]);
    const counter = await startCounter();
    const address = await callAll(engine, [[]], { image, name: "address" });
    const [{ value }] = address.outcomes as [{ readonly value: string }];
    const url = await reachableFromPods(value, counter.port);
    const kill = async ({ host }: { readonly host: string }) => {
      const body = { gracePeriodSeconds: 0 };
      await cluster.admin.api.ask("DELETE", `${cluster.path("pods")}/${host}`, { body }).catch(() => {});
    };
    const start = { image, network: "host", parallelism: 3 } as const;
    await chaos(seed, engine, url, counter, { kill, cut }, start);
  },
);
