import type { Difference } from "../../config/difference.ts";
import { UserError } from "../../core/errors.ts";
import type { Api } from "../../kubernetes/api.ts";
import { refusalOf } from "../../kubernetes/api-error.ts";
import { ifFound } from "../../kubernetes/if-found.ts";
import type { Metadata } from "../../kubernetes/objects.ts";
import { listAll } from "../../kubernetes/watch.ts";
import { type Change, withoutVariables } from "../change.ts";
import { causeOf } from "../history.ts";
import type { Service } from "../model.ts";
import {
  apiVersionOf,
  causeAnnotation,
  expiryAnnotation,
  type Kind,
  kinds,
  labelsOf,
  type Manifest,
  objectDifferences,
  optionalKinds,
  pathOf,
  serviceLabel,
} from "./manifest.ts";
import { removalOf, withoutStrangers, withStrangers } from "./ports.ts";

export interface Place {
  readonly api: Api;
  readonly namespace: string;
}

interface Live {
  readonly metadata: Metadata;
  readonly spec?: { readonly replicas?: number };
}

export type LiveObject = Live & { readonly apiVersion: string; readonly kind: Kind };

export const fieldManager = "slipway";

export interface ApplyListener {
  readonly onChange?: (change: Change) => void;
  /** Called with each object as the API server answered it. */
  readonly onApplied?: (object: LiveObject) => void;
  readonly user?: string;
}

/**
 * Creates, updates and deletes objects until they match. Leaves other fields to whoever set them. Can be repeated.
 *
 * @param isTrial changes nothing: the API server tells what would change
 */
export async function applyService(
  { api, namespace }: Place,
  service: Service,
  manifests: readonly Manifest[],
  isTrial: boolean,
  { onChange = () => {}, onApplied = () => {}, user }: ApplyListener = {},
): Promise<readonly Change[]> {
  const before = await Promise.all(manifests.map((manifest) => read({ api, namespace }, manifest)));
  const changes: Change[] = [];
  const add = (change: Change) => {
    changes.push(change);
    onChange(change);
  };
  for (const [index, manifest] of manifests.entries()) {
    const live = before[index];
    const { kind } = manifest;
    const { name, annotations } = manifest.metadata;
    const after = await putOver({ api, namespace }, withReplicas(manifest, service, live), live, isTrial);
    onApplied(after);
    const isRenewal = annotations?.[expiryAnnotation] !== undefined;
    const differences = live === undefined || isRenewal ? [] : objectDifferences(live, after);
    if (live === undefined) add({ action: "create", kind, name });
    else if (differences.length > 0) add(changeOf(kind, name, differences));
    const ofPods = differences.map(({ field }) => field).filter((field) => field.startsWith("spec.template"));
    const isRevision = kind === "Deployment" && (live === undefined || ofPods.length > 0);
    if (isRevision && user !== undefined && !isTrial) {
      await setCause({ api, namespace }, name, `${user}: ${causeOf(live && ofPods)}`);
    }
  }
  if (!isTrial) await replenish({ api, namespace }, manifests);
  return [...changes, ...(await prune({ api, namespace }, service.name, manifests, isTrial, onChange))];
}

/** Records why a Deployment changed. Server-side apply does not own this annotation, and leaves it alone. */
export async function setCause({ api, namespace }: Place, name: string, cause: string): Promise<void> {
  await api.ask("PATCH", pathOf("Deployment", namespace, name), {
    query: { fieldManager },
    body: { metadata: { annotations: { [causeAnnotation]: cause } } },
    contentType: "application/merge-patch+json",
  });
}

/** Leaves out the fields of a Secret. */
export function changeOf(kind: Kind, name: string, differences: readonly Difference[]): Change {
  const change = { action: "change", kind, name } as const;
  if (kind === "Secret") return change;
  const fields = differences.map(({ field }) => field);
  return { ...change, fields, differences: differences.map(withoutVariables) };
}

/** Applies a manifest as {@link put} does, and removes ports that others have added. */
export async function putOver(
  place: Place,
  manifest: Manifest,
  live: Live | undefined,
  isTrial: boolean,
): Promise<LiveObject> {
  const after = await put(place, live ? withStrangers(manifest, live) : manifest, isTrial);
  if (isTrial) return withoutStrangers(manifest, after);
  const removal = removalOf(manifest, after);
  if (removal.length === 0) return after;
  const path = pathOf(manifest.kind, place.namespace, manifest.metadata.name);
  const asked = { query: { fieldManager }, body: removal, contentType: "application/json-patch+json" };
  return place.api.ask<LiveObject>("PATCH", path, asked).catch(async (error: unknown) => {
    // If the first answer was lost, the repeated request finds nothing to remove.
    const now = refusalOf(error)?.status === 422 ? await place.api.ask<LiveObject>("GET", path) : undefined;
    if (now && removalOf(manifest, now).length === 0) return now;
    throw error;
  });
}

/** Overwrites others' changes to the manifest's fields. */
export function put({ api, namespace }: Place, manifest: Manifest, isTrial = false): Promise<LiveObject> {
  return api.ask<LiveObject>("PATCH", pathOf(manifest.kind, namespace, manifest.metadata.name), {
    query: { fieldManager, force: true, fieldValidation: "Strict", ...(isTrial ? { dryRun: "All" } : {}) },
    body: manifest,
    contentType: "application/apply-patch+yaml",
  });
}

async function read({ api, namespace }: Place, { kind, metadata }: Manifest): Promise<Live | undefined> {
  const { name } = metadata;
  const live = await ifFound(api.ask<Live>("GET", pathOf(kind, namespace, name)));
  if (live === undefined || isOf(live, metadata.labels[serviceLabel] ?? "")) return live;
  throw new UserError(
    { code: "service-conflict", culprit: `${kind} ${name}` },
    `The ${kind} ${name} in namespace ${namespace} does not belong to service ${metadata.labels[serviceLabel]} (its labels are missing).`,
    "Give the service another name, or delete that object if nobody needs it.",
  );
}

export function isOf({ metadata }: Live, name: string): boolean {
  return Object.entries(labelsOf(name)).every(([label, value]) => metadata.labels?.[label] === value);
}

/** Keeps the autoscaler's number of replicas: a Deployment without the field would fall back to one replica. */
function withReplicas(manifest: Manifest, { replicas, autoscaling }: Service, live: Live | undefined): Manifest {
  const spec = manifest["spec"] as { readonly replicas?: number } | undefined;
  if (manifest.kind !== "Deployment" || autoscaling === undefined || spec?.replicas !== undefined) return manifest;
  const now = live?.spec?.replicas ?? 0;
  return { ...manifest, spec: { ...spec, replicas: Math.min(Math.max(now, replicas), autoscaling.maxReplicas) } };
}

/** Deletes a service's objects that have no manifest. ConfigMaps and Secrets stay as long as pods need them. */
export async function prune(
  place: Place,
  service: string,
  manifests: readonly Manifest[],
  isTrial: boolean,
  onChange: (change: Change) => void = () => {},
): Promise<readonly Change[]> {
  const wanted = new Set(manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`));
  const needed = new Set(manifests.map(({ kind }) => kind));
  const keys = (await allOf(place, service, needed)).map(({ kind, metadata }) => ({ kind, name: metadata.name }));
  const unwanted = keys.filter(({ kind, name }) => !wanted.has(`${kind} ${name}`));
  const used = unwanted.some(({ kind }) => neededByPods.has(kind)) ? await usedByPods(place, service) : new Set();
  const stale = unwanted.filter(({ kind, name }) => !neededByPods.has(kind) || !used.has(`${kind} ${name}`));
  return removeAll(place, stale, onChange, isTrial);
}

export async function removeAll(
  place: Place,
  keys: readonly { readonly kind: Kind; readonly name: string }[],
  onChange: (change: Change) => void,
  isTrial = false,
): Promise<readonly Change[]> {
  const changes = keys.map((key): Change => ({ action: "delete", ...key }));
  for (const [index, { kind, name }] of keys.entries()) {
    await remove(place, kind, name, isTrial);
    onChange(changes[index] as Change);
  }
  return changes;
}

const neededByPods: ReadonlySet<Kind> = new Set(["ConfigMap", "Secret"]);

/** Recreates objects that a parallel apply has deleted before the Deployment referred to them. */
async function replenish(place: Place, manifests: readonly Manifest[]): Promise<void> {
  for (const manifest of manifests) {
    if (neededByPods.has(manifest.kind) && (await read(place, manifest)) === undefined) await put(place, manifest);
  }
}

/** `KIND NAME` of what present and future pods need, and of the ConfigMaps of earlier revisions. */
async function usedByPods({ api, namespace }: Place, service: string): Promise<ReadonlySet<string>> {
  interface PodsOwner {
    readonly spec: { readonly replicas?: number; readonly template: { readonly spec: object } };
    readonly status?: { readonly replicas?: number };
  }
  const labelSelector = `${serviceLabel}=${service}`;
  const list = async (plural: string) =>
    (await listAll<PodsOwner>(api, { path: `/apis/apps/v1/namespaces/${namespace}/${plural}`, labelSelector })).items;
  // Lists Deployments first: a template can move to a ReplicaSet in between.
  const owners = [...(await list("deployments")), ...(await list("replicasets"))];
  const isRunning = ({ spec, status }: PodsOwner) => (spec.replicas ?? 0) > 0 || (status?.replicas ?? 0) > 0;
  return new Set(
    owners.flatMap((owner) => {
      const all = references(owner.spec.template.spec);
      return isRunning(owner) ? all : all.filter((key) => key.startsWith("ConfigMap "));
    }),
  );
}

export function references(part: unknown): string[] {
  if (typeof part !== "object" || part === null) return [];
  return Object.entries(part).flatMap(([field, value]) => {
    if (/^configMap(Ref|KeyRef)?$/.test(field)) return [`ConfigMap ${value.name}`];
    if (/^secret(Ref|KeyRef)?$/.test(field)) return [`Secret ${value.secretName ?? value.name}`];
    if (field === "imagePullSecrets") return (value as { name: string }[]).map(({ name }) => `Secret ${name}`);
    return references(value);
  });
}

/** Nothing of an optional kind that the cluster lacks, or that the user may not list unless `isNeeded`. */
export async function listKind<Item>(
  { api, namespace }: Place,
  kind: Kind,
  labelSelector: string,
  { isNeeded = false, signal }: { readonly isNeeded?: boolean; readonly signal?: AbortSignal } = {},
): Promise<readonly Item[]> {
  try {
    return (await listAll<Item>(api, { path: pathOf(kind, namespace), labelSelector }, signal)).items;
  } catch (error) {
    const { status } = refusalOf(error) ?? {};
    if (optionalKinds.has(kind) && (status === 404 || (status === 403 && !isNeeded))) return [];
    throw error;
  }
}

/** @param needed kinds that the user must be allowed to list */
export async function allOf(
  { api, namespace }: Place,
  service: string,
  needed: ReadonlySet<Kind> = new Set(),
): Promise<readonly LiveObject[]> {
  const labelSelector = Object.entries(labelsOf(service))
    .map(([label, value]) => `${label}=${value}`)
    .join(",");
  const lists = await Promise.all(
    kinds.map(async (kind) => {
      const items = await listKind<Live>({ api, namespace }, kind, labelSelector, { isNeeded: needed.has(kind) });
      // Items of lists lack these fields.
      return items.map((item) => ({ ...item, apiVersion: apiVersionOf(kind), kind }));
    }),
  );
  return lists.flat();
}

export async function remove({ api, namespace }: Place, kind: Kind, name: string, isTrial = false): Promise<void> {
  const query = { propagationPolicy: "Background", ...(isTrial ? { dryRun: "All" } : {}) };
  await ifFound(api.ask("DELETE", pathOf(kind, namespace, name), { query }));
}
