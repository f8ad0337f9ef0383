import type { Environment } from "../../core/environment.ts";
import { type Cluster, openCluster } from "../../kubernetes/cluster.ts";
import type { PodSpec } from "../../kubernetes/objects.ts";
import { checkReach } from "../../kubernetes/pull-secret.ts";
import { ClusterSecrets, secretStores } from "../../secrets/cluster.ts";
import type { Change } from "../change.ts";
import type { ServiceDocument, ServiceFile } from "../read.ts";
import { resolveRepositories, resolveSecrets, resolveService } from "../resolve.ts";
import { type ApplyListener, allOf, applyService, removeAll } from "./apply.ts";
import { routed } from "./expose.ts";
import type { Manifest } from "./manifest.ts";
import { renderFile } from "./render-file.ts";
import { checkModels, modelSecrets, pullSecrets, requireDataset, secretCopy } from "./secrets.ts";
import { noSuchService } from "./status.ts";

/** A trial changes nothing: the API server tells what would change. Finds mistakes before it contacts the cluster. */
export async function applyFile(
  file: ServiceFile,
  env: Environment,
  isTrial: boolean,
  listener?: ApplyListener,
): Promise<readonly Change[]> {
  const { cluster, services } = await readForCluster(file, env, isTrial);
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

export async function readForCluster(file: ServiceFile, env: Environment, isTrial: boolean) {
  let opened: Promise<Cluster> | undefined;
  const open = () => (opened ??= openCluster(env));
  const resolve = async (document: ServiceDocument) => {
    const place = await open();
    await requireDataset(document, place);
    const secrets = new ClusterSecrets(place);
    const service = await resolveSecrets(document.service, secretStores(place, env), document.error);
    return resolveService(await resolveRepositories({ ...document, service }, secrets, env), env);
  };
  const rendered = await renderFile(file, env, resolve);
  const cluster = await open();
  for (const { manifests } of rendered) for (const each of imagesOf(manifests)) checkReach(each, cluster);
  if (rendered.some(({ service }) => service.models.length > 0)) await checkModels(cluster, env);
  if (!isTrial) for (const sync of new Set(rendered.map((each) => each.sync))) await sync?.push();
  const withRoutes = await routed(cluster, rendered);
  const services = await Promise.all(
    withRoutes.map(async ({ service, manifests }) => {
      const copy = secretCopy(service);
      const secrets = [
        ...(copy === undefined ? [] : [copy]),
        ...(await pullSecrets(service, imagesOf(manifests), env)),
        ...(await modelSecrets(service, env)),
      ];
      return { service, manifests: [...secrets, ...manifests] };
    }),
  );
  return { cluster, services };
}

function imagesOf(manifests: readonly Manifest[]): string[] {
  return manifests.flatMap(({ kind, spec }) => {
    if (kind !== "Deployment") return [];
    const { containers, initContainers = [] } = (spec as { readonly template: { readonly spec: PodSpec } }).template
      .spec;
    return [...containers, ...initContainers].flatMap(({ image }) => image ?? []);
  });
}
