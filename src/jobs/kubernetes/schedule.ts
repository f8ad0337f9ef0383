import type { Environment } from "../../core/environment.ts";
import { UserError } from "../../core/errors.ts";
import type { Cluster } from "../../kubernetes/cluster.ts";
import { deleteIfFound, ifFound } from "../../kubernetes/if-found.ts";
import {
  type CronJob,
  isOurs,
  ownSelector,
  type Raw,
  releasedAnnotation,
  userLabel,
} from "../../kubernetes/objects.ts";
import { requireRunnable } from "../../kubernetes/runnable-pod.ts";
import { listAll } from "../../kubernetes/watch.ts";
import { slugOf } from "../job-folder.ts";
import type { Program } from "../program.ts";
import { createSecrets, newJobName, objectsOf } from "./submit.ts";

const history = 3;

/** The name that a schedule's Secrets begin with. Each update sets another one. */
const versionAnnotation = "slipway/version";

export interface Schedule {
  readonly name: string;
  readonly schedule: string;
  /** Default: the cluster's. */
  readonly timeZone?: string;
  /** `unfinished`: its creation was interrupted. It never runs. */
  readonly state: "active" | "paused" | "unfinished";
  readonly user: string;
  readonly last?: string;
}

function cronPath({ namespace }: Cluster, name?: string): string {
  return `/apis/batch/v1/namespaces/${namespace}/cronjobs${name === undefined ? "" : `/${name}`}`;
}

/**
 * Creates or updates a schedule by one request, so an interruption leaves the old or the new one. A new one is
 * suspended until its Secrets exist, a paused one stays paused.
 *
 * @param copy whether the user's own credential may be copied into the cluster
 */
export async function applySchedule(
  cluster: Cluster,
  program: Program,
  when: { readonly schedule: string; readonly timeZone?: string | undefined },
  { copy, env }: { readonly copy: boolean; readonly env: Environment },
): Promise<{ readonly change: "created" | "updated"; readonly schedule: Schedule; readonly hasPullSecret: boolean }> {
  const { api } = cluster;
  const name = slugOf(program.name);
  const version = newJobName(program);
  const { job, secrets } = await objectsOf(cluster, program, version, copy, env);
  const before = await find(cluster, name);
  if (before) requireOwn(cluster, name, before);
  const { suspend: _, ttlSecondsAfterFinished: __, ...jobSpec } = job.spec;
  const { labels, annotations } = job.metadata;
  const spec: Raw<CronJob["spec"]> = {
    ...when,
    concurrencyPolicy: "Forbid",
    successfulJobsHistoryLimit: history,
    failedJobsHistoryLimit: history,
    suspend: before !== undefined && stateOf(before) === "paused",
    jobTemplate: { metadata: { labels, annotations }, spec: jobSpec },
  };
  const path = cronPath(cluster, name);
  const released = { [versionAnnotation]: version, [releasedAnnotation]: new Date().toISOString() };
  const hasPullSecret = secrets.some(({ type }) => type !== "Opaque");
  if (before) {
    await createSecrets(cluster, ownerOf(before), secrets);
    const body = [
      { op: "replace", path: "/spec", value: spec },
      { op: "add", path: "/metadata/annotations", value: { ...before.metadata.annotations, ...released } },
    ];
    const after = await api.ask<CronJob>("PATCH", path, { body });
    await removeSecrets(cluster, before);
    return { change: "updated", schedule: scheduleOf(after), hasPullSecret };
  }
  const made = {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name, namespace: cluster.namespace, labels, annotations: { [versionAnnotation]: version } },
    spec: { ...spec, suspend: true },
  };
  const created = await api.ask<CronJob>("POST", cronPath(cluster), { body: made });
  try {
    await createSecrets(cluster, ownerOf(created), secrets);
    const body = { metadata: { annotations: released }, spec: { suspend: false } };
    const after = await api.ask<CronJob>("PATCH", path, { body });
    return { change: "created", schedule: scheduleOf(after), hasPullSecret };
  } catch (error) {
    // If this fails too, it stays suspended until it is replaced or removed.
    await remove(cluster, name).catch(() => {});
    throw error;
  }
}

export async function listSchedules(cluster: Cluster, isOfAll: boolean): Promise<Schedule[]> {
  const labelSelector = ownSelector(isOfAll ? undefined : cluster.owner);
  const { items } = await listAll<CronJob>(cluster.api, { path: cronPath(cluster), labelSelector });
  return items.map(scheduleOf).sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** Running jobs go on. @throws Failure if its image may not run. UserError if it does not exist or is unfinished */
export async function pauseSchedule(cluster: Cluster, name: string, isPaused: boolean): Promise<Schedule> {
  const found = await requireSchedule(cluster, name);
  if (stateOf(found) === "unfinished") {
    throw new UserError(
      { code: "job-state", culprit: name },
      `Schedule ${name} is not whole, because its \`slipway job run\` was interrupted.`,
      `Run that command again, or remove it with \`slipway job schedule rm ${name}\`.`,
    );
  }
  // Someone else may have made it, or the rules may have changed since.
  if (!isPaused) await requireRunnable(found.spec.jobTemplate.spec?.template.spec);
  const body = { spec: { suspend: isPaused } };
  return scheduleOf(await cluster.api.ask<CronJob>("PATCH", cronPath(cluster, name), { body }));
}

export async function removeSchedule(cluster: Cluster, name: string): Promise<void> {
  await requireSchedule(cluster, name);
  await remove(cluster, name);
}

function remove(cluster: Cluster, name: string): Promise<void> {
  return deleteIfFound(cluster.api, cronPath(cluster, name), { propagationPolicy: "Background" });
}

/** Removes the Secrets of a replaced schedule, unless a job uses them. Those are removed with the schedule. */
async function removeSecrets(cluster: Cluster, { metadata, status }: CronJob): Promise<void> {
  const version = metadata.annotations?.[versionAnnotation];
  // Whoever may change the CronJob chose it: a path in it would delete another object.
  if (!/^[a-z0-9-]+$/.test(version ?? "/") || (status?.active ?? []).length > 0) return;
  for (const suffix of ["input", "pull"]) {
    const path = `/api/v1/namespaces/${cluster.namespace}/secrets/${version}-${suffix}`;
    await ifFound(cluster.api.ask("DELETE", path));
  }
}

function find(cluster: Cluster, name: string): Promise<CronJob | undefined> {
  return ifFound(cluster.api.ask<CronJob>("GET", cronPath(cluster, name)));
}

async function requireSchedule(cluster: Cluster, name: string): Promise<CronJob> {
  const { namespace, context } = cluster;
  const found = /^[a-z0-9-]+$/.test(name) ? await find(cluster, name) : undefined;
  if (found && isOurs(found)) return found;
  throw new UserError(
    { code: "job-not-found", culprit: name },
    `There is no schedule ${name} in namespace ${namespace} of cluster ${context}.`,
    "`slipway job schedule ls` lists the schedules.",
  );
}

function requireOwn({ owner, namespace }: Cluster, name: string, found: CronJob): void {
  const user = found.metadata.labels?.[userLabel];
  if (isOurs(found) && user === owner) return;
  const whose = isOurs(found) ? `belongs to ${user}` : "was not made by Slipway";
  throw new UserError(
    { code: "job-state", culprit: name },
    `CronJob ${name} in namespace ${namespace} ${whose}.`,
    "Give the job's file another name, or choose another namespace with SLIPWAY_KUBERNETES_NAMESPACE.",
  );
}

function ownerOf({ metadata: { name, uid } }: CronJob) {
  return { apiVersion: "batch/v1", kind: "CronJob", name, uid };
}

function stateOf({ metadata, spec }: CronJob): Schedule["state"] {
  if (!spec.suspend) return "active";
  return metadata.annotations?.[releasedAnnotation] === undefined ? "unfinished" : "paused";
}

function scheduleOf(found: CronJob): Schedule {
  const { metadata, spec, status } = found;
  return {
    name: metadata.name,
    schedule: spec.schedule,
    ...(spec.timeZone === undefined ? {} : { timeZone: spec.timeZone }),
    state: stateOf(found),
    user: metadata.labels?.[userLabel] ?? "",
    ...(status?.lastScheduleTime === undefined ? {} : { last: status.lastScheduleTime }),
  };
}
