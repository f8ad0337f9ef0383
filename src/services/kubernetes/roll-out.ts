import type { Environment } from "../../core/environment.ts";
import { type ErrorIdentity, Failure, UserError } from "../../core/errors.ts";
import type { Change } from "../change.ts";
import { applyService, type LiveObject, type Place, prune } from "./apply.ts";
import { readForCluster } from "./read-for-cluster.ts";
import { restore, type Snapshot, snapshotOf, takeSnapshot } from "./rollback.ts";
import { type WaitOptions, waitUntilReady } from "./wait.ts";

export interface RolloutOptions extends WaitOptions {
  readonly image?: string | undefined;
  /** Whether all services go back if one does not become ready. */
  readonly isRolledBack: boolean;
  readonly onChanges: (changes: readonly Change[]) => void;
  /** Called with each object as the API server answered it. */
  readonly onApplied?: (object: LiveObject) => void;
}

/** Applies the services of a file or folder, and waits until all are ready. */
export async function rollOutFile(
  path: string,
  name: string,
  env: Environment,
  options: RolloutOptions,
): Promise<void> {
  const { isRolledBack, onChanges, notice } = options;
  const { cluster, services } = await readForCluster(path, name, env, false, options.image);
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
