import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Environment } from "../core/environment.ts";
import { homeFolder } from "../core/user-folders.ts";

const serviceAccountToken = "/var/run/secrets/kubernetes.io/serviceaccount/token";

export function kubeconfigFiles(env: Environment): { readonly files: readonly string[]; readonly named: boolean } {
  const named = env["KUBECONFIG"];
  const files = named ? named.split(delimiter).filter((file) => file !== "") : [join(homeFolder(env), ".kube/config")];
  return { files: files.filter((file) => existsSync(file)), named: Boolean(named) };
}

export function isInCluster(env: Environment): boolean {
  return Boolean(env["KUBERNETES_SERVICE_HOST"]) && existsSync(serviceAccountToken);
}

/** Whether this user has a cluster. Only then is the client loaded. */
export function hasCluster(env: Environment): boolean {
  return kubeconfigFiles(env).files.length > 0 || isInCluster(env);
}
