import { Failure } from "../../core/errors.ts";
import { ifFound } from "../../kubernetes/if-found.ts";
import { retryConflict } from "../../kubernetes/retry-conflict.ts";
import type { Change } from "../change.ts";
import { allOf, changeOf, type LiveObject, type Place, put, remove, setCause } from "./apply.ts";
import { causeAnnotation, expiryAnnotation, type Kind, type Manifest, objectDifferences, pathOf } from "./manifest.ts";

/** All objects of a service by `KIND NAME`. Empty: there is no such service. */
export type Snapshot = ReadonlyMap<string, LiveObject>;

export async function takeSnapshot(place: Place, service: string): Promise<Snapshot> {
  return snapshotOf(await allOf(place, service));
}

export function snapshotOf(objects: readonly LiveObject[]): Snapshot {
  return new Map(objects.map((object) => [`${object.kind} ${object.metadata.name}`, object]));
}

/**
 * Restores all objects of a service, whoever set which field. Recreates deleted objects, and deletes new
 * ones.
 *
 * @param left the Deployment as the failed apply left it
 * @throws Failure if someone else has changed the Deployment since. Then nothing changes
 */
export async function restore(
  place: Place,
  service: string,
  before: Snapshot,
  left: Snapshot,
): Promise<readonly Change[]> {
  const now = await takeSnapshot(place, service);
  requireUntouched(service, before, left, now);
  const isNew = ([key]: [string, LiveObject]) => !before.has(key);
  const added = [...now].filter(isNew).map(([, object]) => object);
  const changes: Change[] = [];
  const discard = async (objects: readonly LiveObject[]) => {
    for (const { kind, metadata } of objects) {
      await remove(place, kind, metadata.name);
      changes.push({ action: "delete", kind, name: metadata.name });
    }
  };
  // It would change the number of replicas again.
  await discard(added.filter(({ kind }) => kind === "HorizontalPodAutoscaler"));
  for (const [key, object] of before) {
    const live = now.get(key);
    const differences = live === undefined ? [] : objectDifferences(live, object);
    if (live !== undefined && differences.length === 0) continue;
    const { kind } = object;
    const { name, annotations } = object.metadata;
    if (kind === "Deployment") await putDeployment(place, service, object, left);
    else await put(place, manifestOf(object));
    const cause = annotations?.[causeAnnotation];
    if (cause !== undefined) await setCause(place, name, cause);
    if (live === undefined) changes.push({ action: "create", kind, name });
    else if (live.metadata.annotations?.[expiryAnnotation] === undefined)
      changes.push(changeOf(kind, name, differences));
  }
  await discard(added.filter(({ kind }) => kind !== "HorizontalPodAutoscaler"));
  return changes;
}

/** An object without what the cluster adds. */
export function manifestOf({ status: _, metadata, ...rest }: LiveObject & { readonly status?: unknown }): Manifest {
  const { name, labels = {}, annotations = {} } = metadata;
  const ours = Object.entries(annotations).filter(([key]) => key.startsWith("slipway/"));
  return {
    ...rest,
    metadata: { name, labels, ...(ours.length === 0 ? {} : { annotations: Object.fromEntries(ours) }) },
  };
}

function requireUntouched(service: string, before: Snapshot, left: Snapshot, now: Snapshot): void {
  const key = `Deployment ${service}`;
  const template = (snapshot: Snapshot) => {
    const object = snapshot.get(key) as { spec?: { template?: object } } | undefined;
    return { ...(object?.spec?.template ?? {}) };
  };
  const differs = (one: Snapshot, other: Snapshot) => objectDifferences(template(one), template(other)).length > 0;
  // An earlier attempt may have restored it without receiving the answer.
  if (!differs(left, now) || !differs(before, now)) return;
  throw new Failure(
    { code: "service-conflict", culprit: `Deployment ${service}` },
    `Someone has changed the Deployment ${service} in the meantime, so the service was not rolled back.`,
    "Look at it with `slipway service status`, then apply the version that should run.",
  );
}

/** Sends the version that it read, so that it never overwrites someone else's change. */
async function putDeployment(place: Place, service: string, object: LiveObject, left: Snapshot): Promise<void> {
  const key = `Deployment ${service}`;
  const path = pathOf("Deployment" satisfies Kind, place.namespace, object.metadata.name);
  await retryConflict(async () => {
    const live = await ifFound(place.api.ask<LiveObject>("GET", path));
    const manifest = manifestOf(object);
    if (live === undefined) return put(place, manifest);
    requireUntouched(service, new Map([[key, object]]), left, new Map([[key, live]]));
    const { resourceVersion } = live.metadata;
    return put(place, { ...manifest, metadata: { ...manifest.metadata, resourceVersion } as Manifest["metadata"] });
  });
}
