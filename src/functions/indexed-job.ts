import { UserError } from "../core/errors.ts";
import {
  callVariable,
  filesVariable,
  inputsVariable,
  limitVariable,
  nonceVariable,
  resultFileVariable,
} from "../core/protocol.ts";
import { type JobNames, jobObjects, type MountedVolume, remade, secretOf } from "../jobs/kubernetes/job.ts";
import { type JobManifest, nonceAnnotation, type SecretManifest } from "../kubernetes/objects.ts";
import type { RunnableImage } from "../oci/runnable-image.ts";
import type { SecretKey } from "../secrets/variables.ts";
import { type CallBatch, maximumJsonBytes } from "./calls.ts";
import type { PodAccess } from "./pod-access.ts";

export interface GivenAccess {
  readonly content: PodAccess;
  /** With a name and a password. */
  readonly credential?: string;
}

/** A Secret may have 1 MiB. */
const partSize = 1_000_000;
const inputsFolder = "/slipway/calls";
const filesFolder = "/slipway/files";
const firstPart = "calls-0";
const accessKey = "access";
/** Nodes rotate a container's log at 10 MiB. */
const maximumLoggedResult = 8 * 1024 * 1024;
/** Seconds, for a Job that could not be deleted. */
export const deadline = 24 * 60 * 60;
/** Seconds, for a Job that has ended. */
export const keptFor = 10 * 60;
const usualParallelism = 50;

/**
 * Secrets have all arguments, so that 1,000 small items cost one request.
 *
 * @throws UserError for what Kubernetes cannot hold: a variable's name, or too much input
 */
export function indexedJob(
  batch: CallBatch,
  image: RunnableImage,
  names: JobNames,
  dockerConfig: string | undefined,
  references: Readonly<Record<string, SecretKey>> = {},
  access?: GivenAccess,
): { readonly job: JobManifest; readonly secrets: readonly SecretManifest[] } {
  const parts = inputParts(batch, names, access);
  const sources = parts.map(({ metadata: { name } }, index) => ({
    secret: { name, items: [{ key: "part", path: String(index).padStart(3, "0") }] },
  }));
  const variables = {
    ...batch.env,
    [callVariable]: batch.name,
    [nonceVariable]: names.nonce,
    [inputsVariable]: inputsFolder,
    [resultFileVariable]: "/dev/termination-log",
    [limitVariable]: String(maximumLoggedResult),
    ...(access === undefined ? {} : { [filesVariable]: filesFolder }),
  };
  const { job, secrets } = jobObjects(
    {
      name: batch.name,
      image,
      argv: batch.programArguments,
      env: variables,
      mounts: [],
      ...(batch.volumes === undefined ? {} : { volumes: batch.volumes }),
      network: "none",
      stdin: "",
      isFunction: false,
      resources: batch.resources,
      retries: 0,
      ...(batch.timeLimit === undefined ? {} : { timeLimit: batch.timeLimit }),
    },
    image,
    names,
    dockerConfig,
    [
      { name: "calls", mountPath: inputsFolder, readOnly: true, source: { projected: { sources } } },
      ...(access === undefined ? [] : [filesVolume(parts[0]?.metadata.name ?? "", access)]),
    ],
    references,
  );
  const { backoffLimit: _, podReplacementPolicy: __, ...spec } = job.spec;
  return {
    job: {
      ...job,
      metadata: { ...job.metadata, annotations: { [nonceAnnotation]: names.nonce } },
      spec: {
        ...spec,
        completionMode: "Indexed",
        completions: batch.inputs.length,
        parallelism: Math.min(batch.inputs.length, batch.parallelism ?? usualParallelism),
        backoffLimitPerIndex: batch.retries ?? 0,
        podFailurePolicy: { rules: [remade] },
        activeDeadlineSeconds: deadline,
        ttlSecondsAfterFinished: keptFor,
      },
    },
    secrets: [...secrets, ...parts],
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

export function renewedAccess(access: PodAccess): object {
  return { data: { [accessKey]: Buffer.from(JSON.stringify(access)).toString("base64") } };
}

export function accessSecret(job: string): string {
  return `${job}-${firstPart}`;
}

function inputParts({ inputs, name }: CallBatch, names: JobNames, access: GivenAccess | undefined): SecretManifest[] {
  const all = Buffer.from(inputs.join("\n"));
  if (all.length > maximumJsonBytes) {
    throw new UserError(
      { code: "value-invalid", culprit: name },
      `The arguments of all calls of ${JSON.stringify(name)} take ${all.length} bytes as JSON; Kubernetes allows at most ${maximumJsonBytes}.`,
      "Store the data where both sides can read it and pass its name, or map fewer items at a time.",
    );
  }
  return Array.from({ length: Math.ceil(all.length / partSize) }, (_, index) => {
    const part = all.subarray(index * partSize, (index + 1) * partSize);
    const more = index === 0 && access !== undefined ? { [accessKey]: JSON.stringify(access.content) } : {};
    return secretOf(names, `calls-${index}`, { part, ...more });
  });
}
