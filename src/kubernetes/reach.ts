import { readFileSync } from "node:fs";
import { readValues } from "../config/config-file.ts";
import { contextSettings } from "../config/settings.ts";
import { isFromLoopback } from "../containers/loopback.ts";
import type { Environment } from "../core/environment.ts";
import { kubeconfigFiles } from "./configured.ts";

/** Whether `checkReach` will surely pass, without loading Kubernetes' client. False: run it, for the reason. */
export async function canSurelyReach(images: readonly string[], env: Environment): Promise<boolean> {
  const { files } = kubeconfigFiles(env);
  if (files.length === 0) return false;
  try {
    const configs = (await Promise.all(files.map((file) => readValues(readFileSync(file, "utf8"))))) as Kubeconfig[];
    const context = env["SLIPWAY_KUBERNETES_CONTEXT"] ?? configs.map((each) => each["current-context"]).find(Boolean);
    if (!context || !configs.some(({ contexts }) => contexts?.some(({ name }) => name === context))) return false;
    return (await contextSettings(context, env)).nodeLocal === true || !images.some(isFromLoopback);
  } catch {
    return false;
  }
}

interface Kubeconfig {
  readonly "current-context"?: string;
  readonly contexts?: readonly { readonly name: string }[];
}
