import type { Environment } from "../../core/environment.ts";
import { type Cluster, openCluster } from "../../kubernetes/cluster.ts";
import type { PodSpec } from "../../kubernetes/objects.ts";
import { checkReach } from "../../kubernetes/pull-secret.ts";
import { ClusterSecrets, secretStores } from "../../secrets/cluster.ts";
import type { ServiceDocument } from "../read.ts";
import { resolveService } from "../resolve.ts";
import { resolveRepositories } from "../resolve-repositories.ts";
import { resolveSecrets } from "../resolve-secrets.ts";
import { requireDataset } from "./claim.ts";
import { routed } from "./expose.ts";
import type { Manifest } from "./manifest.ts";
import { checkModels, modelSecrets } from "./models.ts";
import { pullSecrets } from "./pull-secret.ts";
import { type Rendered, renderFile } from "./render-file.ts";
import { secretCopy } from "./secret-variables.ts";

/**
 * Everything that an apply sends, and the cluster.
 *
 * @param isTrial pushes nothing to a registry
 * @throws UserError for mistakes, before anything changes
 */
export async function readForCluster(
  path: string,
  name: string,
  env: Environment,
  isTrial: boolean,
  image?: string,
): Promise<{ readonly cluster: Cluster; readonly services: readonly Rendered[] }> {
  let opened: Promise<Cluster> | undefined;
  const open = () => (opened ??= openCluster(env));
  const resolve = async (document: ServiceDocument) => {
    const place = await open();
    await requireDataset(document, place);
    const secrets = new ClusterSecrets(place);
    const service = await resolveSecrets(document.service, secretStores(place, env), document.error);
    return resolveService(await resolveRepositories({ ...document, service }, secrets, env), env);
  };
  const rendered = await renderFile(path, name, env, resolve, image);
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
