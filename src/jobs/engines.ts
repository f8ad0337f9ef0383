import process from "node:process";
import { type EngineKind, engineIn } from "../config/engine-kind.ts";
import { detectEngine } from "../containers/choose-engine.ts";
import type { JobEngine } from "./engine.ts";
import { isKubernetesId } from "./kubernetes/id.ts";
import { LocalEngine } from "./local-engine.ts";

export type Tell = (text: string) => void;

export function wantedEngine(engine: EngineKind | undefined): EngineKind | undefined {
  return engine ?? engineIn(process.env);
}

/** Whether an environment from files must become an image. Default: if this machine has containers. */
export function needsImages(engine: EngineKind | undefined): boolean {
  const wanted = wantedEngine(engine);
  return wanted ? wanted !== "process" : detectEngine(process.env).kind === "container";
}

/** The engine of this machine. Its supervisors run this program: the command line or the engine helper. */
export function localEngine(): LocalEngine {
  const [, main = ""] = process.argv;
  return new LocalEngine(process.env, [process.execPath, ...process.execArgv, main, "job", "supervise"]);
}

/** The engine of the cluster in the user's kubeconfig. Loaded only when needed, since it is large. */
export async function kubernetesEngine(tell: Tell, copyCredentials?: boolean) {
  const { KubernetesEngine } = await import("./kubernetes/engine.ts");
  const options = copyCredentials === undefined ? {} : { copyCredentials };
  return new KubernetesEngine(process.env, { notice: tell, ...options });
}

export async function engineOf(id: string, tell: Tell): Promise<JobEngine> {
  return isKubernetesId(id) ? kubernetesEngine(tell) : localEngine();
}
