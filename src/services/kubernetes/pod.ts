import type { InstanceType } from "../../config/resources.ts";
import { isFromLoopback } from "../../containers/loopback.ts";
import { containerName } from "../../kubernetes/objects.ts";
import { placementOf, resourcesOf } from "../../kubernetes/placement.ts";
import { containerSecurity, literally, podSecurity } from "../../kubernetes/security.ts";
import type { HealthCheck, Service } from "../model.ts";
import { labelsOf } from "./manifest.ts";
import { noContent, type PodContent, syncUser } from "./pod-content.ts";
import { type SecretVariables, secretVariables } from "./secret-variables.ts";

/** Seconds between the request to end a pod and its SIGTERM, so that senders of requests learn of it. */
const farewell = 5;

/** Seconds until SIGKILL. Open requests have what {@link farewell} leaves of them. */
const grace = 60;

export function pullSecretName(name: string): string {
  return `${name}-pull`;
}

export function syncSecretName(name: string): string {
  return `${name}-sync`;
}

export function tokenSecretName(name: string): string {
  return `${name}-token`;
}

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

/** The least memory of the sync program. */
const syncMemory = 512 * 2 ** 20;

/**
 * Gives an init container the service's resources, which are still free. Without limits, the pod would be
 * evicted early.
 */
function limited(container: object, type: InstanceType | undefined): object {
  if (type === undefined) return container;
  return { ...container, ...resourcesOf({ ...type, memory: Math.max(type.memory, syncMemory), gpu: 0 }) };
}

/**
 * By default a container has started, and is ready, when its first port is open. There is no default for
 * `liveness`: a busy container would be killed.
 */
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
