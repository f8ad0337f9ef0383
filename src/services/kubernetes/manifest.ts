import { type Difference, differencesOf } from "../../config/difference.ts";
import { managedBy } from "../../kubernetes/objects.ts";

const places = {
  ConfigMap: { group: "/api/v1", plural: "configmaps" },
  Secret: { group: "/api/v1", plural: "secrets" },
  Service: { group: "/api/v1", plural: "services" },
  Deployment: { group: "/apis/apps/v1", plural: "deployments" },
  HorizontalPodAutoscaler: { group: "/apis/autoscaling/v2", plural: "horizontalpodautoscalers" },
  Ingress: { group: "/apis/networking.k8s.io/v1", plural: "ingresses" },
  HTTPRoute: { group: "/apis/gateway.networking.k8s.io/v1", plural: "httproutes" },
} as const;

export type Kind = keyof typeof places;

/** Kinds that the cluster may lack, or the user may not list, if no service is exposed. */
export const optionalKinds: ReadonlySet<Kind> = new Set(["Ingress", "HTTPRoute"]);

export const kinds = Object.keys(places) as readonly Kind[];

/** An object without the fields that the cluster fills in. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: Kind;
  readonly metadata: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [part: string]: unknown;
}

export const serviceLabel = "slipway/service";

/** When the content of an object expires. Its renewal is no change of the service. */
export const expiryAnnotation = "slipway/expires";

/** Kubernetes copies it to the revision; `kubectl rollout history` shows it. */
export const causeAnnotation = "kubernetes.io/change-cause";

export function labelsOf(name: string): Readonly<Record<string, string>> {
  return { ...managedBy, "app.kubernetes.io/name": name, [serviceLabel]: name };
}

/** Immutable, so it has only what makes it unique. */
export function selectorOf(name: string): Readonly<Record<string, string>> {
  return { [serviceLabel]: name };
}

export function apiVersionOf(kind: Kind): string {
  return places[kind].group.replace(/^\/apis?\//, "");
}

export function manifestFor(
  kind: Kind,
  service: string,
  parts: object,
  name = service,
  annotations?: Readonly<Record<string, string>>,
): Manifest {
  const metadata = { name, labels: labelsOf(service), ...(annotations && { annotations }) };
  return { apiVersion: apiVersionOf(kind), kind, metadata, ...parts };
}

export function pathOf(kind: Kind, namespace: string, name?: string): string {
  const { group, plural } = places[kind];
  return `${group}/namespaces/${namespace}/${plural}${name === undefined ? "" : `/${name}`}`;
}

/** Metadata that a cluster and its controllers set. */
const bookkeeping: ReadonlySet<string> = new Set([
  "annotations",
  "creationTimestamp",
  "generation",
  "managedFields",
  "resourceVersion",
  "uid",
]);

/** Leaves out status and metadata that the cluster sets. */
export function objectDifferences(...states: [before: object, after: object]): Difference[] {
  const [before, after] = states.map((object) => {
    const { status: _, metadata = {}, ...rest } = object as { status?: unknown; metadata?: object };
    const kept = Object.entries(metadata).filter(([name]) => !bookkeeping.has(name));
    return { ...rest, metadata: Object.fromEntries(kept) };
  });
  return differencesOf(before, after);
}
