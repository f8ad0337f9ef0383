import type { InstanceType } from "../../config/resources.ts";
import { isFromLoopback } from "../../containers/loopback.ts";
import { containerName } from "../../kubernetes/objects.ts";
import { placementOf, resourcesOf } from "../../kubernetes/placement.ts";
import { containerSecurity, literally, podSecurity } from "../../kubernetes/security.ts";
import { secretObjectName } from "../../secrets/cluster.ts";
import { type Content, type ContentKind, secretsFolder, syncArguments, volumeFolder } from "../content.ts";
import type { HealthCheck, Service } from "../model.ts";
import { labelsOf } from "./manifest.ts";
import { pullSecretName, type SecretVariables, secretVariables, syncSecretName, tokenSecretName } from "./secrets.ts";

/** Seconds between the request to end a pod and its SIGTERM, so that senders of requests learn of it. */
const farewell = 5;

/** Seconds until SIGKILL. Open requests have what {@link farewell} leaves of them. */
const grace = 60;

function pullSecretsOf({ name, image, containerRegistry }: Service, { initContainers, mayCopy }: PodContent): string[] {
  const others = initContainers.map((container) => (container as { readonly image: string }).image);
  const isEmbedded = [...(containerRegistry === undefined ? [image] : []), ...others].some(isFromLoopback);
  return [
    ...(containerRegistry === undefined ? [] : [pullSecretName(name)]),
    ...(isEmbedded ? [tokenSecretName(name)] : []),
    ...(mayCopy && others.some((other) => !isFromLoopback(other)) ? [syncSecretName(name)] : []),
  ];
}

/** @param environment name of the ConfigMap with the variables */
export function podTemplate(
  service: Service,
  type: InstanceType | undefined,
  environment: string | undefined,
  content: PodContent = noContent,
): object {
  const { name } = service;
  const secrets = pullSecretsOf(service, content);
  const variables = secretVariables(service);
  const annotations = { ...content.annotations, ...variables.annotations };
  return {
    metadata: {
      labels: labelsOf(name),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
    spec: {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: grace,
      // Secrets and kept volumes become readable, and these writable, for the sync program's group.
      securityContext:
        content.initContainers.length === 0
          ? podSecurity
          : { ...podSecurity, fsGroup: syncUser, fsGroupChangePolicy: "OnRootMismatch" },
      ...(secrets.length === 0 ? {} : { imagePullSecrets: secrets.map((secret) => ({ name: secret })) }),
      ...placementOf(type ?? {}),
      ...(content.volumes.length === 0
        ? {}
        : { volumes: content.volumes, initContainers: content.initContainers.map((each) => limited(each, type)) }),
      containers: [containerOf(service, type, environment, variables, content)],
    },
  };
}

function containerOf(
  service: Service,
  type: InstanceType | undefined,
  environment: string | undefined,
  { env }: SecretVariables,
  { mounts }: PodContent,
): object {
  const { command, ports } = service;
  return {
    name: containerName,
    image: service.image,
    ...(command === undefined ? {} : { command: literally(command) }),
    ports: ports.map((port) => ({ name: portName(port), containerPort: port, protocol: "TCP" })),
    ...(environment === undefined ? {} : { envFrom: [{ configMapRef: { name: environment } }] }),
    ...(env.length === 0 ? {} : { env }),
    ...resourcesOf(type ?? {}),
    ...(mounts.length === 0 ? {} : { volumeMounts: mounts }),
    ...probesOf(service),
    lifecycle: { preStop: { sleep: { seconds: farewell } } },
    securityContext: containerSecurity,
  };
}

export function portName(port: number): string {
  return `port-${port}`;
}

const syncMemory = 512 * 2 ** 20;

/** Gives an init container the service's resources, still free: without limits the pod would be evicted early. */
function limited(container: object, type: InstanceType | undefined): object {
  if (type === undefined) return container;
  return { ...container, ...resourcesOf({ ...type, memory: Math.max(type.memory, syncMemory), gpu: 0 }) };
}

/** Default: the first port is open. None for `liveness`: a busy container would be killed. */
function probesOf({ healthChecks, ports }: Service): object {
  const [first = 0] = ports;
  const { startup, readiness, liveness } = healthChecks;
  return {
    startupProbe: probe(startup ?? readiness, first, startup, { periodSeconds: 5, failureThreshold: 120 }),
    readinessProbe: probe(readiness, first, readiness, { periodSeconds: 5, failureThreshold: 3 }),
    ...(liveness === undefined
      ? {}
      : { livenessProbe: probe(liveness, first, liveness, { periodSeconds: 5, failureThreshold: 3 }) }),
  };
}

function probe(
  asked: HealthCheck | undefined,
  firstPort: number,
  timing: HealthCheck | undefined,
  defaults: { readonly periodSeconds: number; readonly failureThreshold: number },
): object {
  const port = asked?.port ?? firstPort;
  return {
    ...(asked === undefined ? { tcpSocket: { port } } : { httpGet: { path: asked.path, port, scheme: "HTTP" } }),
    // The API server drops zeros.
    ...(timing?.initialDelaySeconds ? { initialDelaySeconds: timing.initialDelaySeconds } : {}),
    periodSeconds: timing?.periodSeconds ?? defaults.periodSeconds,
    timeoutSeconds: timing?.timeoutSeconds ?? 5,
    failureThreshold: timing?.failureThreshold ?? defaults.failureThreshold,
  };
}

/** The parts of a pod that fetch content before its program starts. */
export interface PodContent {
  readonly volumes: readonly object[];
  readonly initContainers: readonly object[];
  /** Of the program's container. */
  readonly mounts: readonly object[];
  /** Texts that become files. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Whether the user's credential for the sync image may be copied into the cluster. */
  readonly mayCopy: boolean;
}

export const noContent: PodContent = { volumes: [], initContainers: [], mounts: [], annotations: {}, mayCopy: false };

export const syncUser = 1000;

/** Each sync container sees only its own volume and secrets; the program sees folders of volumes, read-only. */
export function podContent(contents: readonly Content[], syncImage: string, mayCopy = false): PodContent {
  return {
    mayCopy,
    volumes: contents.flatMap(volumesOf),
    initContainers: contents.map((content) => initContainer(content, syncImage)),
    mounts: contents.flatMap(({ kind, mounts }) =>
      mounts.map(({ path, folder }) => ({ name: kind, mountPath: path, subPath: folder, readOnly: true })),
    ),
    annotations: Object.fromEntries(
      contents.flatMap(({ kind, texts = [] }) => texts.map(({ text, file }) => [annotationOf(kind, file), text])),
    ),
  };
}

function annotationOf(kind: ContentKind, file: string): string {
  return `slipway/${kind}.${file}`;
}

function volumesOf(content: Content): object[] {
  const { kind, claim, secrets, texts = [] } = content;
  const volume = claim === undefined ? { emptyDir: {} } : { persistentVolumeClaim: { claimName: claim } };
  const fromSecrets = secrets.map(({ secret, key, file }) => ({
    // The sync program reports a missing secret.
    secret: { name: secretObjectName(secret), items: [{ key, path: file }], optional: true },
  }));
  const fromTexts = texts.map(({ file }) => {
    const fieldPath = `metadata.annotations['${annotationOf(kind, file)}']`;
    return { downwardAPI: { items: [{ path: file, fieldRef: { apiVersion: "v1", fieldPath } }] } };
  });
  const sources = [...fromSecrets, ...fromTexts];
  const files = { name: filesName(kind), projected: { defaultMode: 0o440, sources } };
  return [{ name: kind, ...volume }, ...(sources.length === 0 ? [] : [files])];
}

function initContainer(content: Content, image: string): object {
  const { kind } = content;
  return {
    name: `sync-${kind}`,
    image,
    args: literally(syncArguments(content)),
    volumeMounts: [
      { name: kind, mountPath: volumeFolder },
      ...(hasFiles(content) ? [{ name: filesName(kind), mountPath: secretsFolder(kind), readOnly: true }] : []),
    ],
    // The log of a failure matters more than its status.
    terminationMessagePolicy: "FallbackToLogsOnError",
    securityContext: { ...containerSecurity, runAsUser: syncUser, runAsGroup: syncUser },
  };
}

function hasFiles({ secrets, texts = [] }: Content): boolean {
  return secrets.length > 0 || texts.length > 0;
}

function filesName(kind: ContentKind): string {
  return `${kind}-files`;
}
