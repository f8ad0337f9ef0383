import { UserError } from "../../core/errors.ts";
import type { Cluster } from "../../kubernetes/cluster.ts";
import { ifFound } from "../../kubernetes/if-found.ts";
import { containerName, type Deployment, type PodTemplate, type ReplicaSet } from "../../kubernetes/objects.ts";
import { retryConflict } from "../../kubernetes/retry-conflict.ts";
import { requireRunnable } from "../../kubernetes/runnable-pod.ts";
import { listAll } from "../../kubernetes/watch.ts";
import type { Change } from "../change.ts";
import { notRestorable, type Revision, revisionToRestore } from "../history.ts";
import {
  changeOf,
  fieldManager,
  isOf,
  type LiveObject,
  type Place,
  put,
  putOver,
  references,
  setCause,
} from "./apply.ts";
import { causeAnnotation, type Manifest, objectDifferences, pathOf } from "./manifest.ts";
import { hashLabel, replicaSetsPath, revisionAnnotation, selectorFor } from "./observation.ts";
import { networkService } from "./render.ts";
import { manifestOf } from "./roll-out.ts";
import { noSuchService } from "./status.ts";

type Live = LiveObject & Pick<Deployment, "spec">;

type ClusterRevision = Revision & { readonly template: PodTemplate };

export async function serviceHistory(cluster: Cluster, name: string): Promise<readonly Revision[]> {
  return (await revisionsOf(cluster, name)).map(({ template: _, ...revision }) => revision);
}

async function revisionsOf(cluster: Cluster, name: string): Promise<readonly ClusterRevision[]> {
  const { api, namespace } = cluster;
  const [{ metadata: deployment }, sets] = await Promise.all([
    readDeployment(cluster, name),
    listAll<ReplicaSet>(api, { path: replicaSetsPath(namespace), labelSelector: selectorFor([name]) }),
  ]);
  const current = deployment.annotations?.[revisionAnnotation];
  return sets.items
    .filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === deployment.uid))
    .map(({ metadata: { annotations = {}, creationTimestamp }, spec: { template } }) => {
      const cause = annotations[causeAnnotation];
      const image = template.spec.containers.find((each) => each.name === containerName)?.image;
      return {
        revision: Number(annotations[revisionAnnotation] ?? 0),
        created: creationTimestamp,
        ...(cause === undefined ? {} : { cause }),
        ...(image === undefined ? {} : { image }),
        isCurrent: annotations[revisionAnnotation] === current,
        template,
      };
    })
    .sort((one, other) => one.revision - other.revision);
}

async function readDeployment(cluster: Cluster, name: string): Promise<Live> {
  const found = await ifFound(cluster.api.ask<Live>("GET", deploymentPath(cluster, name)));
  if (found && isOf(found, name)) return { ...found, apiVersion: "apps/v1", kind: "Deployment" };
  throw noSuchService([name], cluster, "`slipway service status` lists its services.");
}

function deploymentPath({ namespace }: Place, name: string): string {
  return pathOf("Deployment", namespace, name);
}

/** Its pods and ports; the number of replicas stays. Default: the newest one before that can be restored. */
export async function rollBackService(
  cluster: Cluster,
  name: string,
  asked: number | undefined,
): Promise<{ readonly revision: number; readonly changes: readonly Change[] }> {
  const all = await revisionsOf(cluster, name);
  const missing = new Map(
    await Promise.all(all.map(async (each) => [each.revision, await missingFor(cluster, each)] as const)),
  );
  const usable = all.filter(({ revision, isCurrent }) => isCurrent || missing.get(revision)?.length === 0);
  const target = revisionToRestore(name, asked === undefined ? usable : all, asked);
  const gone = missing.get(target.revision) ?? [];
  if (gone.length > 0) throw notRestorable(name, target.revision, gone);
  await requireRunnable(target.template.spec);
  const changes = [
    ...(await restorePorts(cluster, name, target.template)),
    ...(await restoreTemplate(cluster, name, target.template)),
  ];
  await setCause(cluster, name, `${cluster.owner}: rollback to revision ${target.revision}`);
  return { revision: target.revision, changes };
}

/** `KIND NAME` of objects that the revision's pods need and that are gone. */
async function missingFor({ api, namespace }: Place, { template }: ClusterRevision): Promise<string[]> {
  const { imagePullSecrets: _, ...spec } = template.spec;
  const needed = [...new Set(references(spec))];
  const found = await Promise.all(
    needed.map((key) => {
      const [kind, name] = key.split(" ") as ["ConfigMap" | "Secret", string];
      return ifFound(api.ask<object>("GET", pathOf(kind, namespace, name)));
    }),
  );
  return needed.filter((_, index) => found[index] === undefined);
}

async function restorePorts(place: Place, name: string, { spec }: PodTemplate): Promise<Change[]> {
  const numbers = spec.containers.find((each) => each.name === containerName)?.ports?.map((port) => port.containerPort);
  const manifest = networkService(name, numbers ?? []);
  const before = await ifFound(place.api.ask<LiveObject>("GET", pathOf("Service", place.namespace, name)));
  const after = await putOver(place, manifest, before, false);
  if (before === undefined) return [{ action: "create", kind: "Service", name }];
  const differences = objectDifferences(before, after);
  return differences.length === 0 ? [] : [changeOf("Service", name, differences)];
}

async function restoreTemplate(cluster: Cluster, name: string, template: PodTemplate): Promise<Change[]> {
  const { [hashLabel]: _, ...labels } = template.metadata?.labels ?? {};
  // The controller writes to it too.
  return retryConflict(async () => {
    const live = await readDeployment(cluster, name);
    // The current pull secrets also pull earlier images.
    const { imagePullSecrets } = live.spec.template.spec;
    const wanted = {
      metadata: { ...template.metadata, labels },
      spec: { ...template.spec, ...(imagePullSecrets && { imagePullSecrets }) },
    };
    const restored: Live = { ...live, spec: { ...live.spec, template: wanted } };
    const manifest = manifestOf(restored);
    const metadata = { ...manifest.metadata, resourceVersion: live.metadata.resourceVersion } as Manifest["metadata"];
    const differences = objectDifferences(live, await put(cluster, { ...manifest, metadata }));
    return differences.length === 0 ? [] : [changeOf("Deployment", name, differences)];
  });
}

/** Restarts all pods as `kubectl rollout restart` does: new ones first. */
export async function restartService(cluster: Cluster, name: string): Promise<void> {
  const { spec } = await readDeployment(cluster, name);
  if (spec.replicas === 0) {
    throw new UserError(
      { code: "service-state", culprit: name },
      `Service ${name} has no pods to restart: it is disabled.`,
      "Remove `enabled: false` from its file and apply it.",
    );
  }
  await requireRunnable(spec.template.spec);
  const annotations = { "kubectl.kubernetes.io/restartedAt": new Date().toISOString() };
  await cluster.api.ask("PATCH", deploymentPath(cluster, name), {
    query: { fieldManager },
    body: {
      metadata: { annotations: { [causeAnnotation]: `${cluster.owner}: restart` } },
      spec: { template: { metadata: { annotations } } },
    },
    contentType: "application/merge-patch+json",
  });
}
