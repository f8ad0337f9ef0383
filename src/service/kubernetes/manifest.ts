import { managedBy } from "../../engine/kubernetes/objects.ts";

/** An object of Kubernetes as it is asked for: what its cluster fills in is not there. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: "ConfigMap" | "Service" | "Deployment" | "HorizontalPodAutoscaler";
  readonly metadata: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly [part: string]: unknown;
}

/** The label with the name of the service that an object is of. */
export const serviceLabel = "slipway/service";

/** Labels of all that is made for a service, by which it is found again. */
export function labelsOf(name: string): Readonly<Record<string, string>> {
  return { ...managedBy, "app.kubernetes.io/name": name, [serviceLabel]: name };
}

/** The label by which a Deployment and a Service know their pods. It can never be changed, so it is the least that is unique. */
export function selectorOf(name: string): Readonly<Record<string, string>> {
  return { [serviceLabel]: name };
}
