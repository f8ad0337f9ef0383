import { claimsOf } from "../../containers/volumes.ts";
import { UserError } from "../../core/errors.ts";
import { inputVariable, nonceVariable, resultFileVariable } from "../../core/protocol.ts";
import {
  type Container,
  commitAnnotation,
  containerName,
  type JobManifest,
  managedBy,
  nonceAnnotation,
  type PodSpec,
  releasedAnnotation,
  type SecretManifest,
  userLabel,
} from "../../kubernetes/objects.ts";
import { placementOf, resourcesOf } from "../../kubernetes/placement.ts";
import { containerSecurity, literally, podSecurity } from "../../kubernetes/security.ts";
import type { RunnableImage } from "../../oci/runnable-image.ts";
import type { SecretKey } from "../../secrets/variables.ts";
import type { Program } from "../program.ts";
import { sweepOf } from "./sweep.ts";

export const keptFor = 24 * 60 * 60;

/** The exit status that container runtimes give to a program that cannot be started. */
const startError = 128;

/** Seconds between SIGTERM and SIGKILL, as on the other engines. */
const grace = 5;

export const maximumInput = 1024 * 1024;

/** The rule for a pod that its node had to give up: it is replaced, and does not count as a failure. */
export const remade = {
  action: "Ignore",
  onPodConditions: [{ type: "DisruptionTarget", status: "True" }],
} as const;

/** Several images can use a claim, so its files get a group. A node sets it on claims that are writable. */
const groupOfVolumes = { fsGroup: 1000, fsGroupChangePolicy: "OnRootMismatch" };

const inputFolder = "/slipway/input";
const inputFile = "arguments.json";

const home = "/home/slipway";

type Volume = NonNullable<PodSpec["volumes"]>[number];
type Mount = NonNullable<Container["volumeMounts"]>[number];

export type MountedVolume = Mount & { readonly source: Omit<Volume, "name"> };

export interface JobNames {
  readonly name: string;
  readonly namespace: string;
  readonly owner: string;
  /** Marks the result line of a function. */
  readonly nonce: string;
}

/** A Secret of a job. It gets its owner once the job exists. */
export function secretOf(
  { name, namespace, owner }: JobNames,
  suffix: string,
  data: Readonly<Record<string, string | Buffer>>,
  type = "Opaque",
): SecretManifest {
  const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString("base64")] as const);
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: `${name}-${suffix}`, namespace, labels: labelsOf(owner) },
    type,
    data: Object.fromEntries(encoded),
  };
}

function labelsOf(owner: string) {
  return { ...managedBy, [userLabel]: owner };
}

/**
 * Each attempt is a pod with the attempt's time limit. `references` are variables in existing Secrets.
 *
 * @throws UserError for what Kubernetes cannot hold: a variable's name, or too much input
 */
export function jobObjects(
  program: Program,
  image: RunnableImage,
  names: JobNames,
  dockerConfig: string | undefined,
  more: readonly MountedVolume[] = [],
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
  const claims = claimedVolumes(program);
  const volumes: readonly MountedVolume[] = [
    { name: "tmp", mountPath: "/tmp", source: { emptyDir: {} } },
    { name: "home", mountPath: home, source: { emptyDir: {} } },
    ...(program.isFunction ? [{ name: "input", mountPath: inputFolder, readOnly: true, source: { secret } }] : []),
    ...more,
  ];
  const mounts = [...volumes.map(({ source: _, ...mount }) => mount), ...claims.flatMap((claim) => claim.mounts)];
  const spec: PodSpec = {
    restartPolicy: "Never",
    activeDeadlineSeconds: program.timeLimit === undefined ? undefined : Math.max(1, Math.ceil(program.timeLimit)),
    terminationGracePeriodSeconds: grace,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: claims.length === 0 ? podSecurity : { ...podSecurity, ...groupOfVolumes },
    ...placementOf(program.resources),
    imagePullSecrets: dockerConfig === undefined ? undefined : [{ name: `${name}-pull` }],
    volumes: [...volumes.map(({ name, source }) => ({ name, ...source })), ...claims.map(({ volume }) => volume)],
    containers: [containerOf(program, image, names, mounts, references)],
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
        // A program starts only when its Secrets exist, and are sure to be deleted with the Job.
        suspend: secrets.length > 0,
        ...(sweep?.fields ?? { backoffLimit: program.retries }),
        podFailurePolicy: {
          rules: [
            ...(sweep !== undefined || program.resources.spot ? [remade] : []),
            // No retry helps a program that cannot be started.
            { action: "FailJob", onExitCodes: { containerName, operator: "In", values: [startError] } },
          ],
        },
        // One attempt at a time.
        podReplacementPolicy: "Failed",
        ttlSecondsAfterFinished: keptFor,
        template: { metadata: { labels }, spec },
      },
    },
    secrets,
  };
}

function containerOf(
  program: Program,
  image: RunnableImage,
  { name, nonce }: JobNames,
  volumeMounts: readonly Mount[],
  references: Readonly<Record<string, SecretKey>>,
): Container {
  return {
    name: containerName,
    image,
    imagePullPolicy: "IfNotPresent",
    command: program.entrypoint === undefined ? undefined : [program.entrypoint],
    args: literally(program.argv),
    workingDir: program.cwd,
    env: [
      { name: "HOME", value: home },
      ...(program.isFunction
        ? [
            { name: nonceVariable, value: nonce },
            { name: inputVariable, value: `${inputFolder}/${inputFile}` },
            { name: resultFileVariable, value: "/dev/termination-log" },
          ]
        : []),
      // A value may be a secret, and not everyone who may read Jobs may read Secrets.
      ...Object.keys(program.env).map((variable) => ({
        name: variable,
        valueFrom: { secretKeyRef: { name: `${name}-input`, key: variableKey(variable) } },
      })),
      ...Object.entries(references).map(([variable, key]) => ({ name: variable, valueFrom: { secretKeyRef: key } })),
    ],
    ...resourcesOf(program.resources),
    securityContext: { ...containerSecurity, readOnlyRootFilesystem: true },
    volumeMounts,
  };
}

/** One volume for each claim, because a pod that names a claim twice may wait forever. */
function claimedVolumes({ volumes = {} }: Program): { readonly volume: Volume; readonly mounts: readonly Mount[] }[] {
  const claims = claimsOf(volumes);
  return [...Map.groupBy(claims, ({ claim }) => claim)].map(([claimName, uses]) => {
    // The name of a claim may be too long for a volume.
    const name = `claim-${claims.findIndex(({ claim }) => claim === claimName)}`;
    const readOnly = !uses.some(({ isWritable }) => isWritable);
    return {
      volume: { name, persistentVolumeClaim: { claimName, readOnly } },
      mounts: uses.map(({ path, isWritable }) => ({ name, mountPath: path, readOnly: isWritable ? undefined : true })),
    };
  });
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

/** The change that starts a suspended job. */
export function release(now: Date): object {
  return { metadata: { annotations: { [releasedAnnotation]: now.toISOString() } }, spec: { suspend: false } };
}
