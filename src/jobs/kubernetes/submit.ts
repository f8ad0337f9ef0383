import { randomBytes } from "node:crypto";
import type { Environment } from "../../core/environment.ts";
import { UserError } from "../../core/errors.ts";
import { refusalOf } from "../../kubernetes/api-error.ts";
import { checkArchitecture } from "../../kubernetes/architecture.ts";
import { requireClaims } from "../../kubernetes/claims.ts";
import type { Cluster } from "../../kubernetes/cluster.ts";
import { deleteIfFound } from "../../kubernetes/if-found.ts";
import {
  endAnnotation,
  type Job,
  type JobManifest,
  jobNameLabel,
  ownSelector,
  releasedAnnotation,
  type SecretManifest,
} from "../../kubernetes/objects.ts";
import { checkReach, pullAccess } from "../../kubernetes/pull-secret.ts";
import { listAll, type Selection } from "../../kubernetes/watch.ts";
import type { RunnableImage } from "../../oci/runnable-image.ts";
import { secretStores } from "../../secrets/cluster.ts";
import { resolveVariables } from "../../secrets/variables.ts";
import { slugOf } from "../job-folder.ts";
import type { Program } from "../program.ts";
import { jobObjects, release } from "./job.ts";

/** Milliseconds after which an unreleased job counts as abandoned. */
const abandonedAfter = 10 * 60_000;

export function jobsPath({ namespace }: Pick<Cluster, "namespace">, name?: string): string {
  return `/apis/batch/v1/namespaces/${namespace}/jobs${name === undefined ? "" : `/${name}`}`;
}

/** A selection for `watchAll`. */
export function jobNamed(cluster: Pick<Cluster, "namespace">, name: string): Selection {
  return { path: jobsPath(cluster), fieldSelector: `metadata.name=${name}` };
}

export function podsOf({ namespace }: Pick<Cluster, "namespace">, job: string): Selection {
  return { path: `/api/v1/namespaces/${namespace}/pods`, labelSelector: `${jobNameLabel}=${job}` };
}

export function newJobName(program: Pick<Program, "name">): string {
  return `${slugOf(program.name)}-${randomBytes(4).toString("hex")}`;
}

/** @param copy whether the user's own credential may be copied into the cluster */
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

/** Creates a suspended job, then the Secrets that it owns, and starts it. If a step fails, nothing is left. */
export async function createOwned(
  cluster: Cluster,
  manifest: JobManifest,
  secrets: readonly SecretManifest[],
): Promise<Job> {
  const { api } = cluster;
  const { name } = manifest.metadata;
  const path = jobsPath(cluster, name);
  const job = await api.ask<Job>("POST", jobsPath(cluster), { body: manifest }).catch((error) => {
    // An earlier attempt whose response was lost created it: the name is random.
    if (refusalOf(error)?.reason === "AlreadyExists") return api.ask<Job>("GET", path);
    throw error;
  });
  if (!manifest.spec.suspend) return job;
  try {
    await createSecrets(cluster, { apiVersion: "batch/v1", kind: "Job", name, uid: job.metadata.uid }, secrets);
    return await api.ask<Job>("PATCH", path, { body: release(new Date()) });
  } catch (error) {
    // If this fails too, `removeAbandoned` deletes the job later.
    await deleteJob(cluster, name, "Background").catch(() => {});
    throw error;
  }
}

/** Creates Secrets that are deleted with their owner. */
export async function createSecrets(
  { api, namespace }: Cluster,
  owner: { readonly apiVersion: string; readonly kind: string; readonly name: string; readonly uid: string },
  secrets: readonly SecretManifest[],
): Promise<void> {
  // One after the other: a second connection would take longer to open.
  for (const { metadata, ...rest } of secrets) {
    const body: SecretManifest = { ...rest, metadata: { ...metadata, ownerReferences: [owner] } };
    await api.ask("POST", `/api/v1/namespaces/${namespace}/secrets`, { body }).catch((error) => {
      if (refusalOf(error)?.reason !== "AlreadyExists") throw error;
    });
  }
}

export async function endJob(cluster: Cluster, name: string, how: string): Promise<void> {
  const body = { metadata: { annotations: { [endAnnotation]: how } } };
  await cluster.api.ask("PATCH", jobsPath(cluster, name), { body });
  await deleteJob(cluster, name, "Foreground");
}

export async function deleteJob(cluster: Cluster, name: string, propagationPolicy: "Foreground" | "Background") {
  await deleteIfFound(cluster.api, jobsPath(cluster, name), { propagationPolicy });
}

/** Deletes this user's jobs that were interrupted: Kubernetes keeps suspended jobs forever. */
export async function removeAbandoned(cluster: Cluster, jobs?: readonly Job[]): Promise<void> {
  const own = { path: jobsPath(cluster), labelSelector: ownSelector(cluster.owner) };
  const all = jobs ?? (await listAll<Job>(cluster.api, own)).items;
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
