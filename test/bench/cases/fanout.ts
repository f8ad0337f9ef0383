import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { processLimits } from "../../../src/containers/process-limits.ts";
import { createOwned, deleteJob, jobsPath } from "../../../src/jobs/kubernetes/submit.ts";
import { openCluster } from "../../../src/kubernetes/cluster.ts";
import { conditionOf, type Job } from "../../../src/kubernetes/objects.ts";
import type { BenchContext } from "../context.ts";
import { isInstalled, type Result, resultOf, run } from "../measure.ts";

/** Pods at once, ours and the floor's. */
const parallelism = 50;

/** What //test/bench/fanout:squares says. */
interface Said {
  readonly image: string;
  readonly seconds: number;
  readonly memory: number;
  readonly requests: number;
  readonly failed: number;
  readonly isRight: boolean;
}

/**
 * Case 10: one function for many items, in containers and in a cluster, beside the same program in as many containers
 * by xargs, and by a Job made by
 * hand. Each once: it takes minutes.
 */
export async function* fanoutCases(context: BenchContext): AsyncGenerator<Result> {
  if (isInstalled("podman")) yield containers(context, 200);
  if (process.env["KUBECONFIG"]) yield await pods(context, 1000);
}

function squares(context: BenchContext, count: number, engine: string): Said {
  const env = { ...process.env, SLIPWAY_ENGINE: engine };
  const words = [join(context.repository, "tools/bazel"), "run", "//test/bench/fanout:squares", "--"];
  const many = (items: number) => JSON.parse(run([...words, `${items}`], { cwd: context.repository, env })) as Said;
  // Brings the image, which the floor finds there.
  many(1);
  return many(count);
}

function counts({ memory, requests, failed }: Said): Record<string, number> {
  return { client_bytes: memory, requests, failed };
}

function containers(context: BenchContext, count: number): Result {
  context.tell(`${count} items in containers, and by xargs`);
  const said = squares(context, count, "container");
  const { files, processes } = processLimits() ?? { files: 1024, processes: 1024 };
  const limits = `--ulimit=nofile=${files}:${files} --ulimit=nproc=${processes}:${processes}`;
  const flags = `--rm --network=none --read-only --cap-drop=all --security-opt=no-new-privileges --log-driver=none ${limits}`;
  const start = process.hrtime.bigint();
  const all = `seq 0 ${count - 1} | xargs -P ${availableParallelism()} -I{} podman run ${flags} ${said.image} one {}`;
  run(["sh", "-c", all]);
  const floor = Number(process.hrtime.bigint() - start) / 1e9;
  return resultOf(
    "200_items_in_containers",
    { ours: [said.seconds], floor: [floor] },
    "at most 1.25 of xargs podman run; all results right and in order",
    (time, least) => time <= 1.25 * least && said.isRight,
    counts(said),
  );
}

async function pods(context: BenchContext, count: number): Promise<Result> {
  context.tell(`${count} items in pods, and by a Job made by hand`);
  const said = squares(context, count, "kubernetes");
  const cluster = await openCluster(process.env);
  const name = `floor-${process.pid}`;
  const start = process.hrtime.bigint();
  await createOwned(cluster, manifest(name, cluster.namespace, said.image, count), []);
  for (let job: Job | undefined; !job || !conditionOf(job, "Complete"); await delay(500)) {
    job = await cluster.api.ask<Job>("GET", jobsPath(cluster, name));
  }
  const floor = Number(process.hrtime.bigint() - start) / 1e9;
  await deleteJob(cluster, name, "Background");
  return resultOf(
    "1000_items_in_pods",
    { ours: [said.seconds], floor: [floor] },
    "at most 1.25 of a Job made by hand; all results right and in order, less than one request for ten items",
    (time, least) => time <= 1.25 * least && said.isRight && said.requests < count / 10,
    counts(said),
  );
}

/** What kubectl create would be given: no input, no result, no limit on what it may do. The nodes have the image. */
function manifest(name: string, namespace: string, image: string, count: number) {
  const container = {
    name: "main",
    image,
    imagePullPolicy: "Never",
    args: ["one", "$(JOB_COMPLETION_INDEX)"],
  };
  return {
    apiVersion: "batch/v1" as const,
    kind: "Job" as const,
    metadata: { name, namespace, labels: {}, annotations: {} },
    spec: {
      suspend: false,
      completionMode: "Indexed",
      completions: count,
      parallelism,
      backoffLimit: 0,
      template: { metadata: { labels: {} }, spec: { restartPolicy: "Never", containers: [container] } },
    },
  };
}
