import { UserError } from "../../core/errors.ts";

const prefix = "k8s:";

/** Whether an id is of a job on Kubernetes; those of this machine's jobs have no colon. */
export function isKubernetesId(id: string): boolean {
  return id.startsWith(prefix);
}

export function idOf(name: string): string {
  return prefix + name;
}

export function nameOf(id: string): string {
  const name = id.slice(prefix.length);
  if (isKubernetesId(id) && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name)) return name;
  throw new UserError(
    { code: "job-not-found", culprit: id },
    `${JSON.stringify(id)} is not the id of a job on Kubernetes.`,
    "`slipway job ls` lists the jobs.",
  );
}
