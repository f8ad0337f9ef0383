import type { Environment } from "../../core/environment.ts";
import { openCluster } from "../../kubernetes/cluster.ts";
import type { Change } from "../change.ts";
import { type ApplyListener, allOf, applyService, removeAll } from "./apply.ts";
import { readForCluster } from "./read-for-cluster.ts";
import { noSuchService } from "./status.ts";

/**
 * Applies the services of a file or folder.
 *
 * @param isTrial changes nothing: the API server tells what would change
 * @throws UserError for mistakes, before it contacts the cluster where possible
 */
export async function applyFile(
  path: string,
  name: string,
  env: Environment,
  isTrial: boolean,
  image?: string,
  listener?: ApplyListener,
): Promise<readonly Change[]> {
  const { cluster, services } = await readForCluster(path, name, env, isTrial, image);
  const changes: Change[] = [];
  for (const { service, manifests } of services) {
    changes.push(...(await applyService(cluster, service, manifests, isTrial, { user: cluster.owner, ...listener })));
  }
  return changes;
}

/** Deletes nothing if a service does not exist. */
export async function deleteServices(
  names: readonly string[],
  env: Environment,
  onChange: (change: Change) => void = () => {},
): Promise<void> {
  const cluster = await openCluster(env);
  const found = await Promise.all(names.map((name) => allOf(cluster, name)));
  const missing = names.filter((_, index) => found[index]?.length === 0);
  if (missing.length > 0) {
    throw noSuchService(missing, cluster, "`slipway service status` lists its services. Nothing was deleted.");
  }
  const keys = found.flat().map(({ kind, metadata }) => ({ kind, name: metadata.name }));
  await removeAll(cluster, keys, onChange);
}
