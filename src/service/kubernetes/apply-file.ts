import { openCluster } from "../../engine/kubernetes/cluster.ts";
import { checkReach } from "../../engine/kubernetes/pull-secret.ts";
import { UserError } from "../../oci/errors.ts";
import { allOf, applyService, type Change, remove } from "./apply.ts";
import { pullSecret } from "./pull-secret.ts";
import { renderFile } from "./render-file.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Makes the services of a file or folder what they should be in the cluster that the environment names.
 *
 * @param isTrial nothing is done, and the API server tells what would be
 * @throws UserError for mistakes, all that can be found on this machine before anything is asked of the cluster
 */
export async function applyFile(
  path: string,
  name: string,
  env: Environment,
  isTrial: boolean,
): Promise<readonly Change[]> {
  const rendered = await renderFile(path, name, env);
  const cluster = await openCluster(env);
  for (const { service } of rendered) checkReach(service.image, cluster);
  const complete = await Promise.all(
    rendered.map(async ({ service, manifests }) => {
      const secret = await pullSecret(service, env);
      return { service, manifests: secret === undefined ? manifests : [secret, ...manifests] };
    }),
  );
  const changes: Change[] = [];
  for (const { service, manifests } of complete) {
    changes.push(...(await applyService(cluster, service, manifests, isTrial)));
  }
  return changes;
}

/**
 * Deletes services with all that was made for them.
 *
 * @throws UserError when one of them is not there: then none is deleted
 */
export async function deleteServices(names: readonly string[], env: Environment): Promise<readonly Change[]> {
  const cluster = await openCluster(env);
  const found = await Promise.all(names.map((name) => allOf(cluster, name)));
  const missing = names.filter((_, index) => found[index]?.length === 0);
  if (missing.length > 0) {
    throw new UserError(
      `Namespace ${cluster.namespace} of cluster ${cluster.context} has no service ${missing.join(", ")}.`,
      "Name services that Slipway applied there; nothing was deleted.",
    );
  }
  for (const { kind, name } of found.flat()) await remove(cluster, kind, name);
  return found.flat().map(({ kind, name }) => ({ action: "delete", kind, name }));
}
