import type { InstanceType } from "../../config/resources.ts";
import { secretIn } from "../../core/secret-reference.ts";
import { sha256 } from "../../oci/digest.ts";
import { canonicalJson } from "../../oci/json.ts";
import { type Autoscaling, type Service, settlingTime } from "../model.ts";
import { ingressOf } from "./expose.ts";
import { type Manifest, manifestFor, selectorOf } from "./manifest.ts";
import { type PodContent, podTemplate, portName } from "./pod.ts";

/** In the order of their creation, byte for byte the same. Without namespaces and the pull secret. */
export function renderService(
  service: Service,
  type: InstanceType | undefined,
  content?: PodContent,
): readonly Manifest[] {
  const { name, autoscaling, enabled } = service;
  const environment = environmentOf(service);
  const isScaled = enabled && autoscaling !== undefined;
  return [
    ...(environment === undefined ? [] : [environment]),
    networkService(name, service.ports),
    manifestFor("Deployment", name, {
      spec: {
        // The autoscaler sets the number of replicas.
        ...(isScaled ? {} : { replicas: enabled ? service.replicas : 0 }),
        minReadySeconds: settlingTime,
        selector: { matchLabels: selectorOf(name) },
        strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        template: podTemplate(service, type, environment?.metadata.name, content),
      },
    }),
    ...(isScaled ? [autoscaler(service, autoscaling)] : []),
    ...(service.expose === undefined ? [] : [ingressOf(service, service.expose)]),
  ];
}

export function networkService(name: string, numbers: readonly number[]): Manifest {
  const ports = numbers.map((port) => ({ name: portName(port), port, targetPort: port, protocol: "TCP" }));
  return manifestFor("Service", name, { spec: { type: "ClusterIP", selector: selectorOf(name), ports } });
}

/** The name has a hash of the variables: old pods keep theirs, and a change creates new pods. */
function environmentOf({ name, env }: Service): Manifest | undefined {
  const plain = env.filter(({ value }) => secretIn(value) === undefined);
  if (plain.length === 0) return undefined;
  const data = Object.fromEntries(plain.map((variable) => [variable.name, variable.value]));
  const [, hash = ""] = sha256(Buffer.from(canonicalJson(data))).split(":");
  return manifestFor("ConfigMap", name, { immutable: true, data }, `${name}-env-${hash.slice(0, 10)}`);
}

function autoscaler({ name, replicas }: Service, { maxReplicas, metrics }: Autoscaling): Manifest {
  const spec = {
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name },
    minReplicas: replicas,
    maxReplicas,
    metrics: metrics.map(({ metric, value }) => ({
      type: "Resource",
      resource: { name: metric, target: { type: "Utilization", averageUtilization: value } },
    })),
  };
  return manifestFor("HorizontalPodAutoscaler", name, { spec });
}
