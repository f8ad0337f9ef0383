import { type JobNames, jobObjects, type MountedVolume, secretOf } from "../jobs/kubernetes/job.ts";
import { type JobManifest, managedBy, type SecretManifest, userLabel } from "../kubernetes/objects.ts";
import type { RunnableImage } from "../oci/runnable-image.ts";
import type { SecretKey } from "../secrets/variables.ts";
import { protocolVersion } from "./frames.ts";
import type { GivenAccess, PodAccess } from "./pod-access.ts";
import type { WorkerSpec } from "./worker.ts";
import { workerVariables } from "./worker-variables.ts";

/** The port of workers, at their pods' loopback interface. Ports below 1024 need a capability on some nodes. */
export const workerPort = 4747;
/** On Jobs and pods: those with the same value serve the same calls. */
export const groupLabel = "slipway/workers";
/** Seconds, for a Job that could not be deleted. */
export const deadline = 24 * 60 * 60;
/** Seconds, for a Job whose workers have ended. How they ended is read in this time. */
export const keptFor = 10;

const filesFolder = "/slipway/files";
const accessKey = "access";

export interface WorkerPods {
  readonly spec: Pick<WorkerSpec, "name" | "programArguments" | "volumes" | "resources">;
  readonly image: RunnableImage;
  /** Values of variables, those of secrets included. */
  readonly env: Readonly<Record<string, string>>;
  /** Variables whose values are in Secrets of the namespace. */
  readonly references: Readonly<Record<string, SecretKey>>;
  /** Value of {@link groupLabel}. */
  readonly group: string;
}

export interface WorkerAccess {
  readonly dockerConfig: string | undefined;
  readonly files: GivenAccess;
}

/**
 * A Job with a pod for each of `count` workers. The job controller replaces none: the scheduler of calls starts others.
 *
 * @param names `nonce` is the token for connections
 * @throws UserError for what Kubernetes cannot hold, such as a variable's name
 */
export function workerJob(
  { spec: { name, programArguments: argv, volumes, resources }, image, env, references, group }: WorkerPods,
  names: JobNames,
  count: number,
  { dockerConfig, files }: WorkerAccess,
): { readonly job: JobManifest; readonly secrets: readonly SecretManifest[] } {
  const variables = {
    ...env,
    [workerVariables.version]: String(protocolVersion),
    [workerVariables.channel]: `tcp:${workerPort}`,
    [workerVariables.token]: names.nonce,
    [workerVariables.files]: filesFolder,
  };
  const program = {
    ...{ name, image, argv, env: variables, resources, mounts: [] },
    ...(volumes === undefined ? {} : { volumes }),
    network: "none",
    stdin: "",
    isFunction: false,
    retries: 0,
  } as const;
  const access = secretOf(names, "access", { [accessKey]: JSON.stringify(files.content) });
  const more = [filesVolume(access.metadata.name, files)];
  const { job, secrets } = jobObjects(program, image, names, dockerConfig, more, references);
  const { backoffLimit: _, podFailurePolicy: __, ...rest } = job.spec;
  const labels = { ...managedBy, [userLabel]: names.owner, [groupLabel]: group };
  return {
    job: {
      ...job,
      metadata: { ...job.metadata, labels },
      spec: {
        ...rest,
        completionMode: "Indexed",
        completions: count,
        parallelism: count,
        backoffLimitPerIndex: 0,
        activeDeadlineSeconds: deadline,
        ttlSecondsAfterFinished: keptFor,
        template: { ...rest.template, metadata: { labels } },
      },
    },
    secrets: [...secrets, access],
  };
}

function filesVolume(secret: string, { credential }: GivenAccess): MountedVolume {
  const sources = [
    { secret: { name: secret, items: [{ key: accessKey, path: "access.json" }] } },
    ...(credential === undefined
      ? []
      : [{ secret: { name: credential, items: ["username", "password"].map((key) => ({ key, path: key })) } }]),
  ];
  return { name: "files", mountPath: filesFolder, readOnly: true, source: { projected: { sources } } };
}

/** The Secret with a Job's access to files, and the change that renews it. */
export function accessSecret(job: string): string {
  return `${job}-access`;
}

export function renewedAccess(access: PodAccess): object {
  return { data: { [accessKey]: Buffer.from(JSON.stringify(access)).toString("base64") } };
}
