import process from "node:process";
import { detectEngine } from "../../containers/choose-engine.ts";
import type { JobEngine, ListedJob } from "../../jobs/engine.ts";
import { isKubernetesId } from "../../jobs/kubernetes/id.ts";
import { LocalEngine } from "../../jobs/local-engine.ts";
import { hasCluster } from "../../kubernetes/configured.ts";
import { notice } from "./output.ts";

/** Values of `--engine`. */
export const engines = ["process", "container", "kubernetes"] as const;

export type EngineName = (typeof engines)[number];

/** Whether an environment from files must become an image. Default: by SLIPWAY_ENGINE, else yes if this machine has containers. */
export function needsImages(engine: EngineName | undefined): boolean {
  const wanted = engine ?? process.env["SLIPWAY_ENGINE"];
  return wanted ? wanted !== "process" : detectEngine(process.env).kind === "container";
}

/** Timeout for the cluster to list its jobs, in milliseconds. */
const patience = 5000;

/** The engine of this machine. Its supervisors run this program. */
export function localEngine(): LocalEngine {
  const [, main = ""] = process.argv;
  return new LocalEngine(process.env, [process.execPath, ...process.execArgv, main, "job", "supervise"]);
}

/** The engine of the cluster in the user's kubeconfig. Loaded only when needed, since it is large. */
export async function kubernetesEngine(copyCredentials?: boolean) {
  const { KubernetesEngine } = await import("../../jobs/kubernetes/engine.ts");
  return new KubernetesEngine(process.env, { notice, ...(copyCredentials === undefined ? {} : { copyCredentials }) });
}

/** The engine that runs a job. */
export async function engineOf(id: string): Promise<JobEngine> {
  return isKubernetesId(id) ? kubernetesEngine() : localEngine();
}

/**
 * The jobs of this machine, then those in the cluster. A cluster that does not answer only causes a notice.
 *
 * @param isOfAll whether jobs of other users in the cluster are among them
 */
export async function listAllJobs(isOfAll = false, tell = notice): Promise<ListedJob[]> {
  const [local, remote] = await Promise.all([localEngine().list(), listClusterJobs(isOfAll, tell)]);
  return [...local, ...remote];
}

async function listClusterJobs(isOfAll: boolean, tell: (text: string) => void): Promise<ListedJob[]> {
  if (!hasCluster(process.env)) return [];
  const signal = AbortSignal.timeout(patience);
  try {
    return await (await kubernetesEngine()).list({ signal, isOfAll });
  } catch (error) {
    const [problem = ""] = (error as Error).message.split("\n");
    const words = signal.aborted ? `the cluster does not answer within ${patience / 1000} s` : problem;
    tell(`jobs on Kubernetes are left out: ${words.replace(/\.$/, "")}`);
    return [];
  }
}
