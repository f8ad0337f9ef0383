import type { Api } from "../../engine/kubernetes/api.ts";
import { refusalOf } from "../../engine/kubernetes/api-error.ts";
import type { Metadata } from "../../engine/kubernetes/objects.ts";
import { listAll } from "../../engine/kubernetes/watch.ts";
import { UserError } from "../../oci/errors.ts";
import type { Service } from "../model.ts";
import { changedFields } from "./difference.ts";
import { type Kind, kinds, labelsOf, type Manifest, pathOf, serviceLabel } from "./manifest.ts";

/** What applying a service did to one object, or would do. */
export interface Change {
  readonly action: "create" | "change" | "delete";
  readonly kind: Kind;
  readonly name: string;
  /** Fields that are not as they were, of objects that change; none of a Secret. */
  readonly fields?: readonly string[];
}

/** Where objects are. */
export interface Place {
  readonly api: Api;
  readonly namespace: string;
}

export interface Live {
  readonly metadata: Metadata;
  readonly spec?: { readonly replicas?: number };
}

/** Who owns the fields that a spec names (server-side apply). */
export const fieldManager = "slipway";

/**
 * Makes a service's objects what they should be, and deletes those that it has no more. Fields that the manifests do not name are left to
 * whoever set them. Every step may be done again: after an interruption a second time ends where the first would have.
 *
 * @param isTrial nothing is done, and the API server tells what would be
 * @returns what is not as it was: nothing the second time
 * @throws UserError when an object of that name is not of that service
 */
export async function applyService(
  { api, namespace }: Place,
  service: Service,
  manifests: readonly Manifest[],
  isTrial: boolean,
): Promise<readonly Change[]> {
  const before = await Promise.all(manifests.map((manifest) => read({ api, namespace }, manifest)));
  const changes: Change[] = [];
  for (const [index, manifest] of manifests.entries()) {
    const live = before[index];
    const { kind } = manifest;
    const { name } = manifest.metadata;
    const after = await api.ask<Live>("PATCH", pathOf(kind, namespace, name), {
      // What someone else set is set back where the spec has a say in it.
      query: { fieldManager, force: true, fieldValidation: "Strict", ...(isTrial ? { dryRun: "All" } : {}) },
      body: withReplicas(manifest, service, live),
      contentType: "application/apply-patch+yaml",
    });
    const fields = live === undefined ? [] : changedFields(live, after);
    if (live === undefined) changes.push({ action: "create", kind, name });
    else if (fields.length > 0)
      changes.push({ action: "change", kind, name, ...(kind === "Secret" ? {} : { fields }) });
  }
  return [...changes, ...(await prune({ api, namespace }, service.name, manifests, isTrial))];
}

/** An object of that name, or undefined. */
async function read({ api, namespace }: Place, { kind, metadata }: Manifest): Promise<Live | undefined> {
  const { name } = metadata;
  const live = await api.ask<Live>("GET", pathOf(kind, namespace, name)).catch((error: unknown) => {
    if (refusalOf(error)?.status === 404) return undefined;
    throw error;
  });
  if (live === undefined || isOf(live, metadata.labels[serviceLabel] ?? "")) return live;
  throw new UserError(
    `The ${kind} ${name} in namespace ${namespace} is not of the service ${metadata.labels[serviceLabel]}: it has not its labels.`,
    "Give the service another name, or delete that object if nobody needs it.",
  );
}

function isOf({ metadata }: Live, name: string): boolean {
  return Object.entries(labelsOf(name)).every(([label, value]) => metadata.labels?.[label] === value);
}

/**
 * A Deployment whose replicas are the autoscaler's says what they are now: a field that is no longer named would fall back to one replica.
 * A new one begins with the fewest.
 */
function withReplicas(manifest: Manifest, { replicas, autoscaling }: Service, live: Live | undefined): Manifest {
  const spec = manifest["spec"] as { readonly replicas?: number } | undefined;
  if (manifest.kind !== "Deployment" || autoscaling === undefined || spec?.replicas !== undefined) return manifest;
  const now = live?.spec?.replicas ?? 0;
  return { ...manifest, spec: { ...spec, replicas: Math.min(Math.max(now, replicas), autoscaling.maxReplicas) } };
}

/** Deletes what is of the service and not among its manifests; variables that pods of before a change still have stay. */
async function prune(
  place: Place,
  service: string,
  manifests: readonly Manifest[],
  isTrial: boolean,
): Promise<readonly Change[]> {
  const wanted = new Set(manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`));
  const unwanted = (await allOf(place, service)).filter(({ kind, name }) => !wanted.has(`${kind} ${name}`));
  const used = unwanted.some(({ kind }) => kind === "ConfigMap") ? await usedVariables(place, service) : new Set();
  const stale = unwanted.filter(({ kind, name }) => kind !== "ConfigMap" || !used.has(name));
  for (const { kind, name } of stale) await remove(place, kind, name, isTrial);
  return stale.map(({ kind, name }) => ({ action: "delete", kind, name }));
}

/** The ConfigMaps of pods that there are. */
async function usedVariables({ api, namespace }: Place, service: string): Promise<ReadonlySet<string>> {
  interface ReplicaSet {
    readonly spec: {
      readonly replicas?: number;
      readonly template: {
        readonly spec: {
          readonly containers: readonly {
            readonly envFrom?: readonly { readonly configMapRef?: { readonly name: string } }[];
          }[];
        };
      };
    };
    readonly status?: { readonly replicas?: number };
  }
  const { items } = await listAll<ReplicaSet>(api, {
    path: `/apis/apps/v1/namespaces/${namespace}/replicasets`,
    labelSelector: `${serviceLabel}=${service}`,
  });
  const running = items.filter(({ spec, status }) => (spec.replicas ?? 0) > 0 || (status?.replicas ?? 0) > 0);
  return new Set(
    running.flatMap(({ spec }) =>
      spec.template.spec.containers.flatMap(({ envFrom }) =>
        (envFrom ?? []).map((each) => each.configMapRef?.name ?? ""),
      ),
    ),
  );
}

/** Every object of a service, by its labels. */
export async function allOf(
  { api, namespace }: Place,
  service: string,
): Promise<readonly { readonly kind: Kind; readonly name: string }[]> {
  const labelSelector = Object.entries(labelsOf(service))
    .map(([label, value]) => `${label}=${value}`)
    .join(",");
  const lists = await Promise.all(
    kinds.map(async (kind) => {
      const { items } = await listAll<Live>(api, { path: pathOf(kind, namespace), labelSelector });
      return items.map(({ metadata }) => ({ kind, name: metadata.name }));
    }),
  );
  return lists.flat();
}

/** Deletes an object that may be gone already. */
export async function remove({ api, namespace }: Place, kind: Kind, name: string, isTrial = false): Promise<void> {
  const query = { propagationPolicy: "Background", ...(isTrial ? { dryRun: "All" } : {}) };
  await api.ask("DELETE", pathOf(kind, namespace, name), { query }).catch((error: unknown) => {
    if (refusalOf(error)?.status !== 404) throw error;
  });
}
