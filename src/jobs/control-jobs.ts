import process from "node:process";
import { UserError } from "../core/errors.ts";
import { hasCluster } from "../kubernetes/configured.ts";
import { endedBefore, hasEnded, type JobStatus, type ListedJob } from "./engine.ts";
import { engineOf, kubernetesEngine, localEngine, type Tell } from "./engines.ts";

/** Timeout for the cluster to list its jobs, in milliseconds. */
const patience = 5000;

/** The jobs of this machine, then those in the cluster. A cluster that does not answer only causes a notice. */
export async function listAllJobs(isOfAll: boolean, tell: Tell): Promise<ListedJob[]> {
  const [local, remote] = await Promise.all([localEngine().list(), listClusterJobs(isOfAll, tell)]);
  return [...local, ...remote];
}

async function listClusterJobs(isOfAll: boolean, tell: Tell): Promise<ListedJob[]> {
  if (!hasCluster(process.env)) return [];
  const signal = AbortSignal.timeout(patience);
  try {
    return await (await kubernetesEngine(tell)).list({ signal, isOfAll });
  } catch (error) {
    const [problem = ""] = (error as Error).message.split("\n");
    const words = signal.aborted ? `the cluster does not answer within ${patience / 1000} s` : problem;
    tell(`jobs on Kubernetes are left out: ${words.replace(/\.$/, "")}`);
    return [];
  }
}

export async function cancelJob(id: string, tell: Tell): Promise<JobStatus> {
  const engine = await engineOf(id, tell);
  if (hasEnded(await engine.status(id))) {
    const remedy = `Show its state with \`slipway job status ${id}\`.`;
    throw new UserError({ code: "job-state", culprit: id }, `Job ${id} has already ended.`, remedy);
  }
  await engine.cancel(id);
  return engine.status(id);
}

export async function removeJobs(ids: readonly string[], tell: Tell): Promise<void> {
  const engines = await Promise.all(ids.map(async (id) => ({ id, engine: await engineOf(id, tell) })));
  // Check all IDs first, so that a typo in one removes nothing.
  for (const { id, engine } of engines) await engine.status(id);
  for (const { id, engine } of engines) await engine.remove(id);
}

export async function* pruneJobs(seconds: number, tell: Tell): AsyncGenerator<string> {
  for (const { id } of endedBefore(await listAllJobs(false, tell), Date.now() - seconds * 1000)) {
    await (await engineOf(id, tell)).remove(id);
    yield id;
  }
}
