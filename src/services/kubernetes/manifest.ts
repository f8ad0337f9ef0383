import { type Difference, differencesOf } from "../../config/difference.ts";
import { managedBy } from "../../kubernetes/objects.ts";

/** The API path of each kind of object. */
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

/** The kinds that a cluster need not have, or that its user need have no rights to, as long as no service is exposed. */
export const optionalKinds: ReadonlySet<Kind> = new Set(["Ingress", "HTTPRoute"]);

/** The kinds of objects of services. */
export const kinds = Object.keys(places) as readonly Kind[];

/** An object of Kubernetes as it is asked for: what its cluster fills in is not there. */
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

/** The label with the name of the service that an object is of. */
export const serviceLabel = "slipway/service";

/** Until when what an object holds is good: another apply renews it, which is no change of the service. */
export const expiryAnnotation = "slipway/expires";

/** Why a Deployment became what it is. Its controller copies it to the revision; `kubectl rollout history` shows it too. */
export const causeAnnotation = "kubernetes.io/change-cause";

/** Labels of all that is made for a service, by which it is found again. */
export function labelsOf(name: string): Readonly<Record<string, string>> {
  return { ...managedBy, "app.kubernetes.io/name": name, [serviceLabel]: name };
}

/** The label by which a Deployment and a Service know their pods. It can never be changed, so it is the least that is unique. */
export function selectorOf(name: string): Readonly<Record<string, string>> {
  return { [serviceLabel]: name };
}

/** The `apiVersion` of a kind of object. */
export function apiVersionOf(kind: Kind): string {
  return places[kind].group.replace(/^\/apis?\//, "");
}

/** The path of an object in the API, or of all of its kind in a namespace. */
export function pathOf(kind: Kind, namespace: string, name?: string): string {
  const { group, plural } = places[kind];
  return `${group}/namespaces/${namespace}/${plural}${name === undefined ? "" : `/${name}`}`;
}

/** Fields of an object's metadata that a cluster and its controllers set. */
const bookkeeping: ReadonlySet<string> = new Set([
  "annotations",
  "creationTimestamp",
  "generation",
  "managedFields",
  "resourceVersion",
  "uid",
]);

/** The fields in which two states of an object differ, without its status and what the cluster sets. */
export function objectDifferences(before: object, after: object): Difference[] {
  return differencesOf(essence(before), essence(after));
}

function essence(object: object): object {
  const { status: _, metadata = {}, ...rest } = object as { status?: unknown; metadata?: object };
  const kept = Object.entries(metadata).filter(([name]) => !bookkeeping.has(name));
  return { ...rest, metadata: Object.fromEntries(kept) };
}
