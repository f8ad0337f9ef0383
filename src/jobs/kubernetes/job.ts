import { claimsOf } from "../../containers/volumes.ts";
import { UserError } from "../../core/errors.ts";
import { inputVariable, nonceVariable, resultFileVariable } from "../../core/protocol.ts";
import {
  commitAnnotation,
  containerName,
  managedBy,
  nonceAnnotation,
  releasedAnnotation,
  userLabel,
} from "../../kubernetes/objects.ts";
import { placementOf, resourcesOf } from "../../kubernetes/placement.ts";
import { containerSecurity, literally, podSecurity } from "../../kubernetes/security.ts";
import type { RunnableImage } from "../../oci/runnable-image.ts";
import type { SecretKey } from "../../secrets/variables.ts";
import type { Program } from "../program.ts";
import { sweepOf } from "./sweep.ts";

/** Seconds that a job stays in the cluster, to be looked at, once it has ended. */
export const keptFor = 24 * 60 * 60;

/** Exit status of a container whose program cannot be started. */
const startError = 128;

/** Seconds between a pod's SIGTERM and SIGKILL, as on the other engines. */
const grace = 5;

/** Most bytes that a Secret holds: what the API server takes. */
export const maximumInput = 1024 * 1024;

/** The rule for a pod that its node had to give up: it is made again, and is no failure. */
export const remade = {
  action: "Ignore",
  onPodConditions: [{ type: "DisruptionTarget", status: "True" }],
} as const;

const inputFolder = "/slipway/input";
const inputFile = "arguments.json";

const home = "/home/slipway";

/** A folder of a pod. */
export interface Volume {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly?: true;
  /** Its content, by kind. */
  readonly source: object;
}

export interface JobNames {
  /** Of the Job, and of its pods' label. */
  readonly name: string;
  readonly namespace: string;
  /** Label value of who submits. */
  readonly owner: string;
  /** For the result line of a function. */
  readonly nonce: string;
}

export interface JobManifest {
  readonly apiVersion: "batch/v1";
  readonly kind: "Job";
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly spec: Readonly<Record<string, unknown>> & {
    readonly suspend: boolean;
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: Readonly<Record<string, unknown>>;
    };
  };
}

export type SecretManifest = Readonly<ReturnType<typeof secretOf>>;

/** A Secret of a job, which gets its owner once the job is there. */
export function secretOf(
  { name, namespace, owner }: JobNames,
  suffix: string,
  data: Readonly<Record<string, string | Buffer>>,
  type = "Opaque",
) {
  const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString("base64")] as const);
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: `${name}-${suffix}`, namespace, labels: labelsOf(owner) },
    type,
    data: Object.fromEntries(encoded) as Record<string, string>,
  };
}

function labelsOf(owner: string) {
  return { ...managedBy, [userLabel]: owner };
}

/**
 * The objects of a job: one attempt is one pod, whose time limit is the attempt's.
 *
 * @param dockerConfig the pull secret's content, where the image needs one
 * @param more volumes
 * @param references further variables, with values from Secrets that are there
 * @throws UserError for what Kubernetes cannot hold: a variable's name, or too much input
 */
export function jobObjects(
  program: Program,
  image: RunnableImage,
  names: JobNames,
  dockerConfig: string | undefined,
  more: readonly Volume[] = [],
  references: Readonly<Record<string, SecretKey>> = {},
): { readonly job: JobManifest; readonly secrets: readonly SecretManifest[] } {
  const { name, namespace, owner, nonce } = names;
  const labels = labelsOf(owner);
  const sweep = sweepOf(program);
  for (const variable of Object.keys(references)) checkVariable(variable);
  const input = inputOf(program);
  const secrets = [
    ...(Object.keys(input).length === 0 ? [] : [secretOf(names, "input", input)]),
    ...(dockerConfig === undefined
      ? []
      : [secretOf(names, "pull", { ".dockerconfigjson": dockerConfig }, "kubernetes.io/dockerconfigjson")]),
  ];
  const secret = { secretName: `${name}-input`, items: [{ key: inputFile, path: inputFile }] };
  const claims = claimsOf(program.volumes ?? {});
  const volumes: readonly Volume[] = [
    { name: "tmp", mountPath: "/tmp", source: { emptyDir: {} } },
    { name: "home", mountPath: home, source: { emptyDir: {} } },
    ...(program.isFunction
      ? [{ name: "input", mountPath: inputFolder, readOnly: true as const, source: { secret } }]
      : []),
    ...more,
  ];
  const template = {
    metadata: { labels },
    spec: {
      restartPolicy: "Never",
      ...(program.timeLimit === undefined ? {} : { activeDeadlineSeconds: Math.max(1, Math.ceil(program.timeLimit)) }),
      terminationGracePeriodSeconds: grace,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: claims.length === 0 ? podSecurity : { ...podSecurity, ...groupOfVolumes },
      ...placementOf(program.resources),
      ...(dockerConfig === undefined ? {} : { imagePullSecrets: [{ name: `${name}-pull` }] }),
      volumes: [...volumes.map(({ name, source }) => ({ name, ...source })), ...claimVolumes(claims)],
      containers: [containerOf(program, image, names, [...volumes, ...claimMounts(claims)], references)],
    },
  };
  return {
    job: {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: {
        name,
        namespace,
        labels,
        annotations: {
          ...(program.isFunction ? { [nonceAnnotation]: nonce } : sweep?.annotations),
          ...(program.commit === undefined ? {} : { [commitAnnotation]: program.commit }),
        },
      },
      spec: {
        // Nothing runs before all that it needs is there, and its owner is known to what must go with it.
        suspend: secrets.length > 0,
        ...(sweep?.fields ?? { backoffLimit: program.retries }),
        // What cannot be started is not tried again: container runtimes end it with this status.
        podFailurePolicy: {
          rules: [
            ...(sweep !== undefined || program.resources.spot ? [remade] : []),
            {
              action: "FailJob",
              onExitCodes: { containerName, operator: "In", values: [startError] },
            },
          ],
        },
        // One attempt at a time.
        podReplacementPolicy: "Failed",
        ttlSecondsAfterFinished: keptFor,
        template,
      },
    },
    secrets,
  };
}

function containerOf(
  program: Program,
  image: RunnableImage,
  { name, nonce }: JobNames,
  mounts: readonly (Omit<Volume, "source"> & { readonly source?: object })[],
  references: Readonly<Record<string, SecretKey>>,
): object {
  return {
    name: containerName,
    image,
    imagePullPolicy: "IfNotPresent",
    ...(program.entrypoint === undefined ? {} : { command: [program.entrypoint] }),
    args: literally(program.argv),
    ...(program.cwd === undefined ? {} : { workingDir: program.cwd }),
    env: [
      { name: "HOME", value: home },
      ...(program.isFunction
        ? [
            { name: nonceVariable, value: nonce },
            { name: inputVariable, value: `${inputFolder}/${inputFile}` },
            { name: resultFileVariable, value: "/dev/termination-log" },
          ]
        : []),
      // A value may be a secret, and whoever may look at jobs need not be one who may look at secrets.
      ...Object.keys(program.env).map((variable) => ({
        name: variable,
        valueFrom: { secretKeyRef: { name: `${name}-input`, key: variableKey(variable) } },
      })),
      ...Object.entries(references).map(([variable, key]) => ({ name: variable, valueFrom: { secretKeyRef: key } })),
    ],
    ...resourcesOf(program.resources),
    securityContext: { ...containerSecurity, readOnlyRootFilesystem: true },
    volumeMounts: mounts.map(({ source: _, ...mount }) => mount),
  };
}

/** The group of whoever uses a claim, so that the users of several images can. The node gives it to the files of a claim that may be written. */
const groupOfVolumes = { fsGroup: 1000, fsGroupChangePolicy: "OnRootMismatch" };

type Claims = ReturnType<typeof claimsOf>;

/** One volume for each claim: a pod that names a claim twice may wait for ever. */
function claimVolumes(claims: Claims): object[] {
  return [...new Set(claims.map(({ claim }) => claim))].map((claimName) => {
    const isWritten = claims.some(({ claim, isWritable }) => claim === claimName && isWritable);
    return { name: volumeName(claims, claimName), persistentVolumeClaim: { claimName, readOnly: !isWritten } };
  });
}

function claimMounts(claims: Claims): Omit<Volume, "source">[] {
  return claims.map(({ path, claim, isWritable }) => ({
    name: volumeName(claims, claim),
    mountPath: path,
    ...(isWritable ? {} : { readOnly: true as const }),
  }));
}

/** Claims may have longer names than volumes. */
function volumeName(claims: Claims, name: string): string {
  return `claim-${claims.findIndex(({ claim }) => claim === name)}`;
}

function checkVariable(name: string, value = ""): void {
  if (/^[-._A-Za-z][-._A-Za-z0-9]*$/.test(name) && !value.includes("\0")) return;
  throw new UserError(
    { code: "variable-invalid", culprit: name },
    `The environment variable ${JSON.stringify(name)} cannot be passed to a pod.`,
    "Its name must be letters, digits, `_`, `-` and `.`, and its value must not contain NUL.",
  );
}

function inputOf(program: Program): Readonly<Record<string, string>> {
  const variables = Object.entries(program.env).map(([name, value]) => {
    checkVariable(name, value);
    return [variableKey(name), value] as const;
  });
  const data = Object.fromEntries([...variables, ...(program.isFunction ? [[inputFile, program.stdin] as const] : [])]);
  const size = Object.values(data).reduce((sum, value) => sum + Buffer.byteLength(value), 0);
  if (size <= maximumInput) return data;
  throw new UserError(
    { code: "value-invalid", culprit: program.name },
    `Arguments and environment of the job take ${size} bytes; Kubernetes allows at most ${maximumInput}.`,
    "Pass the address of the data instead.",
  );
}

function variableKey(name: string): string {
  return `variable.${name}`;
}

/** The change that lets a suspended job begin. */
export function release(now: Date): object {
  return { metadata: { annotations: { [releasedAnnotation]: now.toISOString() } }, spec: { suspend: false } };
}
