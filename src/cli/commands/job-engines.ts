import process from "node:process";
import { detectEngine } from "../../engine/choose.ts";
import type { JobEngine, JobStatus } from "../../engine/job/engine.ts";
import { LocalEngine } from "../../engine/job/local-engine.ts";
import { hasCluster } from "../../engine/kubernetes/configured.ts";
import { isKubernetesId } from "../../engine/kubernetes/id.ts";

/** Where a job may be asked to run. */
export const engines = ["process", "container", "kubernetes"] as const;

export type EngineName = (typeof engines)[number];

/** Whether an environment of files has to be an image where it runs. Default: what SLIPWAY_ENGINE says, else where this machine has containers. */
export function needsImages(engine: EngineName | undefined): boolean {
  const wanted = engine ?? process.env["SLIPWAY_ENGINE"];
  return wanted ? wanted !== "process" : detectEngine(process.env).kind === "container";
}

/** Milliseconds that a cluster may take to list its jobs, beside those of this machine. */
const patience = 5000;

/** The engine of this machine, whose supervisors are this program. */
export function localEngine(): LocalEngine {
  const [, main = ""] = process.argv;
  return new LocalEngine(process.env, [process.execPath, ...process.execArgv, main, "job", "supervise"]);
}

/** The engine of the cluster that the user's kubeconfig names. Loaded only when it is needed. */
export async function kubernetesEngine(options: { readonly copyCredentials?: boolean } = {}) {
  const { KubernetesEngine } = await import("../../engine/kubernetes/engine.ts");
  return new KubernetesEngine(process.env, { ...options, notice });
}

/** The engine that has a job. */
export async function engineOf(id: string): Promise<JobEngine> {
  return isKubernetesId(id) ? kubernetesEngine() : localEngine();
}

/** The jobs of this machine, then those in the cluster. One that does not answer is said, and no reason to show nothing. */
export async function listAllJobs(): Promise<JobStatus[]> {
  const [local, remote] = await Promise.all([localEngine().list(), listClusterJobs()]);
  return [...local, ...remote];
}

async function listClusterJobs(): Promise<JobStatus[]> {
  if (!hasCluster(process.env)) return [];
  const signal = AbortSignal.timeout(patience);
  try {
    return await (await kubernetesEngine()).list({ signal });
  } catch (error) {
    const [problem = ""] = (error as Error).message.split("\n");
    const words = signal.aborted ? `the cluster does not answer within ${patience / 1000} s` : problem;
    notice(`jobs on Kubernetes are left out: ${words.replace(/\.$/, "")}`);
    return [];
  }
}

function notice(text: string): void {
  process.stderr.write(`slipway: ${text}\n`);
}
