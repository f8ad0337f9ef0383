import type { Environment } from "../../core/environment.ts";
import { type ErrorIdentity, Failure, UserError } from "../../core/errors.ts";
import { ifFound } from "../../kubernetes/if-found.ts";
import type { PodSpec } from "../../kubernetes/objects.ts";
import { retryConflict } from "../../kubernetes/retry-conflict.ts";
import { requireRunnable } from "../../kubernetes/runnable-pod.ts";
import type { Change } from "../change.ts";
import type { ServiceFile } from "../read.ts";
import { allOf, applyService, changeOf, type LiveObject, type Place, prune, put, remove, setCause } from "./apply.ts";
import { readForCluster } from "./apply-file.ts";
import { causeAnnotation, expiryAnnotation, type Kind, type Manifest, objectDifferences, pathOf } from "./manifest.ts";
import { type WaitOptions, waitUntilReady } from "./wait.ts";

export interface RolloutOptions extends WaitOptions {
  /** Whether all services go back if one does not become ready. */
  readonly isRolledBack: boolean;
  readonly onChanges: (changes: readonly Change[]) => void;
  /** Called with each object as the API server answered it. */
  readonly onApplied?: (object: LiveObject) => void;
}

/** Applies the services of a file or folder, and waits until all are ready. */
export async function rollOutFile(file: ServiceFile, env: Environment, options: RolloutOptions): Promise<void> {
  const { isRolledBack, onChanges, notice } = options;
  const { cluster, services } = await readForCluster(file, env, false);
  const names = services.map(({ service }) => service.name);
  const before = new Map<string, Snapshot>();
  const left = new Map<string, Snapshot>();
  const failure = await (async () => {
    for (const { service, manifests } of services) {
      const { name } = service;
      if (isRolledBack) before.set(name, await takeSnapshot(cluster, name));
      // From the API server's answer: a later read might contain someone else's change.
      const onApplied = (object: LiveObject) => {
        if (object.kind === "Deployment") left.set(name, snapshotOf([object]));
        options.onApplied?.(object);
      };
      const onChange = (change: Change) => onChanges([change]);
      await applyService(cluster, service, manifests, false, { onChange, onApplied, user: cluster.owner });
    }
    return notReady(await waitUntilReady(cluster, names, options));
  })().catch((error: unknown) => {
    options.signal?.throwIfAborted();
    if (!isRolledBack) throw error;
    return error;
  });
  if (failure === undefined) {
    // Objects that only the previous pods needed.
    for (const { service, manifests } of services) onChanges(await prune(cluster, service.name, manifests, false));
    return;
  }
  if (!isRolledBack) throw failure;
  notice(`${firstLine(failure)} Rolling back.`);
  const outcome = await putBack(cluster, before, left, options);
  const ErrorOfKind = failure instanceof UserError ? UserError : Failure;
  const identity = failure instanceof UserError || failure instanceof Failure ? failure : unready(names);
  throw new ErrorOfKind(identity, `${firstLine(failure)} ${outcome}`, "Fix it, then apply again.", { cause: failure });
}

/** @returns the outcome, in a sentence */
async function putBack(
  place: Place,
  before: ReadonlyMap<string, Snapshot>,
  left: ReadonlyMap<string, Snapshot>,
  options: RolloutOptions,
): Promise<string> {
  let isChanged = false;
  try {
    for (const [name, snapshot] of [...before].reverse()) {
      const changes = await restore(place, name, snapshot, left.get(name) ?? (await takeSnapshot(place, name)));
      isChanged ||= changes.length > 0;
      options.onChanges(changes);
    }
  } catch (error) {
    return `The rollback failed: ${firstLine(error)}`;
  }
  if (!isChanged) return "Nothing had changed.";
  const wereThere = [...before].filter(([, snapshot]) => snapshot.size > 0).map(([name]) => name);
  if (wereThere.length === 0) return "The new objects are deleted.";
  const reasons = await waitUntilReady(place, wereThere, options);
  if (reasons.size === 0) return "The previous version is running again.";
  return `The previous version is restored, but is not ready: ${[...reasons.values()].join(" ")}`;
}

function notReady(reasons: ReadonlyMap<string, string>): Failure | undefined {
  if (reasons.size === 0) return undefined;
  const words = [...reasons].map(([name, reason]) => `Service ${name} does not get ready: ${reason}`);
  return new Failure(
    unready([...reasons.keys()]),
    words.join(" "),
    "It stays applied, and the cluster keeps trying: `slipway service status` shows its state. Fix it, then apply again.",
  );
}

function unready(services: readonly string[]): ErrorIdentity {
  return { code: "service-not-ready", culprit: services.join(", ") };
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "";
}

/** All objects of a service by `KIND NAME`. Empty: there is no such service. */
export type Snapshot = ReadonlyMap<string, LiveObject>;

export async function takeSnapshot(place: Place, service: string): Promise<Snapshot> {
  return snapshotOf(await allOf(place, service));
}

export function snapshotOf(objects: readonly LiveObject[]): Snapshot {
  return new Map(objects.map((object) => [`${object.kind} ${object.metadata.name}`, object]));
}

/**
 * Restores all fields, also those of others. Recreates deleted objects, and deletes new ones.
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
  await requireAllowed(`Deployment ${service}`, before, now);
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

/** The rules may have changed since the previous version started. */
async function requireAllowed(key: string, before: Snapshot, now: Snapshot): Promise<void> {
  const [old, live] = [before.get(key), now.get(key)];
  if (!old || (live && objectDifferences(live, old).length === 0)) return;
  await requireRunnable((old["spec"] as { readonly template: { readonly spec: PodSpec } }).template.spec);
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
