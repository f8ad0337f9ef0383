import { randomBytes } from "node:crypto";
import type { Environment } from "../../core/environment.ts";
import { UserError } from "../../core/errors.ts";
import { refusalOf } from "../../kubernetes/api-error.ts";
import { checkArchitecture } from "../../kubernetes/architecture.ts";
import { requireClaims } from "../../kubernetes/claims.ts";
import type { Cluster } from "../../kubernetes/cluster.ts";
import {
  endAnnotation,
  type Job,
  jobNameLabel,
  managedBy,
  releasedAnnotation,
  userLabel,
} from "../../kubernetes/objects.ts";
import { checkReach, pullAccess } from "../../kubernetes/pull-secret.ts";
import { listAll, type Selection } from "../../kubernetes/watch.ts";
import type { RunnableImage } from "../../oci/runnable-image.ts";
import { secretStores } from "../../secrets/cluster.ts";
import { resolveVariables } from "../../secrets/variables.ts";
import { slugOf } from "../job-folder.ts";
import type { Program } from "../program.ts";
import { type JobManifest, jobObjects, release, type SecretManifest } from "./job.ts";

/** Milliseconds after which a job that was not released never will be. */
const abandonedAfter = 10 * 60_000;

export const mergePatch = "application/merge-patch+json";
export const jsonPatch = "application/json-patch+json";

export function jobsPath({ namespace }: Pick<Cluster, "namespace">, name?: string): string {
  return `/apis/batch/v1/namespaces/${namespace}/jobs${name === undefined ? "" : `/${name}`}`;
}

export function podsOf({ namespace }: Pick<Cluster, "namespace">, job: string): Selection {
  return { path: `/api/v1/namespaces/${namespace}/pods`, labelSelector: `${jobNameLabel}=${job}` };
}

/** A name for a new job of a program. */
export function newJobName(program: Pick<Program, "name">): string {
  return `${slugOf(program.name)}-${randomBytes(4).toString("hex")}`;
}

/**
 * Makes the job of a program: first the Job, suspended, then the Secrets, which it owns and which so go with it, then lets it begin.
 *
 * @param copy whether a credential of the user's may go into the cluster
 * @throws UserError for a program that Kubernetes cannot run, before anything is made
 */
export async function submitJob(
  cluster: Cluster,
  program: Program,
  name: string,
  copy: boolean,
  env: Environment,
): Promise<void> {
  const { job, secrets } = await objectsOf(cluster, program, name, copy, env);
  await createOwned(cluster, job, secrets);
}

/** The objects of a program's job, as {@link submitJob} makes them. */
export async function objectsOf(
  cluster: Cluster,
  program: Program,
  name: string,
  copy: boolean,
  env: Environment,
): Promise<ReturnType<typeof jobObjects>> {
  const image = requireImage(program, cluster);
  checkReach(image, cluster);
  const [{ dockerConfig }, { values, references }] = await Promise.all([
    pullAccess(image, copy, env),
    resolveVariables(program.env, secretStores(cluster, env)),
    checkArchitecture(image, program.resources, env),
    requireClaims(cluster, program.volumes),
  ]);
  const nonce = randomBytes(16).toString("hex");
  const { namespace, owner } = cluster;
  const names = { name, namespace, owner, nonce };
  return jobObjects({ ...program, env: values }, image, names, dockerConfig, [], references);
}

/** Creates a job with what it owns, all of it or nothing. */
export async function createOwned(
  cluster: Cluster,
  manifest: JobManifest,
  secrets: readonly SecretManifest[],
): Promise<Job> {
  const { api } = cluster;
  const { name } = manifest.metadata;
  const path = jobsPath(cluster, name);
  const job = await api.ask<Job>("POST", jobsPath(cluster), { body: manifest }).catch((error) => {
    // An earlier question whose answer was lost made it: nobody else takes this name.
    if (refusalOf(error)?.reason === "AlreadyExists") return api.ask<Job>("GET", path);
    throw error;
  });
  if (!manifest.spec.suspend) return job;
  const owner = { apiVersion: "batch/v1", kind: "Job", name, uid: job.metadata.uid };
  try {
    await createSecrets(cluster, owner, secrets);
    return await api.ask<Job>("PATCH", path, { body: release(new Date()), contentType: mergePatch });
  } catch (error) {
    // If this fails too, `removeAbandoned` removes the job later.
    await deleteJob(cluster, name, "Background").catch(() => {});
    throw error;
  }
}

/** Creates Secrets that go with their owner. */
export async function createSecrets(
  { api, namespace }: Cluster,
  owner: object,
  secrets: readonly SecretManifest[],
): Promise<void> {
  // One after the other, over the connection that there is: another one takes longer.
  for (const { metadata, ...rest } of secrets) {
    const body = { ...rest, metadata: { ...metadata, ownerReferences: [owner] } };
    await api.ask("POST", `/api/v1/namespaces/${namespace}/secrets`, { body }).catch((error) => {
      if (refusalOf(error)?.reason !== "AlreadyExists") throw error;
    });
  }
}

/** Tells those who watch a job how it is ended, then deletes it with all it owns. */
export async function endJob(cluster: Cluster, name: string, how: string): Promise<void> {
  const body = { metadata: { annotations: { [endAnnotation]: how } } };
  await cluster.api.ask("PATCH", jobsPath(cluster, name), { body, contentType: mergePatch });
  await deleteJob(cluster, name, "Foreground");
}

/** Deletes a job with all it owns; it is no error when it is gone. */
export async function deleteJob(
  cluster: Cluster,
  name: string,
  propagationPolicy: "Foreground" | "Background",
): Promise<void> {
  const body = { apiVersion: "meta/v1", kind: "DeleteOptions", propagationPolicy };
  await cluster.api.ask("DELETE", jobsPath(cluster, name), { body }).catch((error) => {
    if (refusalOf(error)?.status !== 404) throw error;
  });
}

interface Jobs {
  readonly path: string;
  readonly labelSelector: string;
}

/** Which jobs of a namespace are this user's. */
export function ownJobs(cluster: Cluster): Jobs {
  return jobsWith(cluster, { ...managedBy, [userLabel]: cluster.owner });
}

/** Which jobs of a namespace are Slipway's, whoever submitted them. */
export function allJobs(cluster: Cluster): Jobs {
  return jobsWith(cluster, managedBy);
}

function jobsWith(cluster: Cluster, labels: Readonly<Record<string, string>>): Jobs {
  const labelSelector = Object.entries(labels)
    .map(([label, value]) => `${label}=${value}`)
    .join(",");
  return { path: jobsPath(cluster), labelSelector };
}

/**
 * Removes this user's jobs that nobody will release or delete any more, since whoever was about to was ended. Kubernetes keeps suspended jobs
 * for ever.
 */
export async function removeAbandoned(cluster: Cluster, jobs?: readonly Job[]): Promise<void> {
  const all = jobs ?? (await listAll<Job>(cluster.api, ownJobs(cluster))).items;
  const before = Date.now() - abandonedAfter;
  await Promise.all(
    all
      .filter((job) => isAbandoned(job) && Date.parse(job.metadata.creationTimestamp) < before)
      .map((job) => deleteJob(cluster, job.metadata.name, "Background")),
  );
}

function isAbandoned({ metadata, spec }: Job): boolean {
  const { annotations = {}, deletionTimestamp } = metadata;
  if (deletionTimestamp !== undefined) return false;
  return (spec.suspend === true && annotations[releasedAnnotation] === undefined) || endAnnotation in annotations;
}

function requireImage({ image, mounts }: Program, { context }: Cluster): RunnableImage {
  if (image === undefined) {
    throw new UserError(
      { code: "field-invalid", culprit: "interpreter" },
      "Kubernetes runs images, but the interpreter of this job is on this machine.",
      "Set `interpreter` to a container image, or run the job with --engine process.",
    );
  }
  if (mounts.length > 0) {
    throw new UserError(
      { code: "code-invalid", culprit: String(mounts[0]?.source) },
      `Cluster ${context} cannot read the folder ${mounts[0]?.source} of this machine.`,
      "Put the code into the image (ImageTarget), or run the job with --engine container.",
    );
  }
  return image;
}
