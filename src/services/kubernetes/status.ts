import type { V1EndpointSlice, V2HorizontalPodAutoscaler } from "@kubernetes/client-node";
import { UserError } from "../../core/errors.ts";
import { oneLine } from "../../kubernetes/failure.ts";
import {
  containerName,
  type Deployment,
  type Metadata,
  type Pod,
  type Raw,
  type ReplicaSet,
} from "../../kubernetes/objects.ts";
import { listAll } from "../../kubernetes/watch.ts";
import type { ServiceStatus } from "../status.ts";
import { listKind, type Place } from "./apply.ts";
import { type Exposure, urlsIn } from "./expose.ts";
import { pathOf, serviceLabel } from "./manifest.ts";
import {
  isPodReady,
  isReady,
  type Observed,
  observedOf,
  podsOf,
  podsPath,
  replicaSetsPath,
  selectorFor,
  wantedReplicas,
} from "./observation.ts";
import { troubleOf } from "./trouble.ts";

type EndpointSlice = Raw<V1EndpointSlice>;
type Autoscaler = Raw<V2HorizontalPodAutoscaler>;

/** Sorted by name. No names: all services of the namespace. */
export async function serviceStatuses(
  place: Place & { readonly context: string },
  names: readonly string[],
): Promise<readonly ServiceStatus[]> {
  const { api, namespace } = place;
  const stop = new AbortController();
  const list = async <Item>(path: string): Promise<readonly Item[]> =>
    (await listAll<Item>(api, { path, labelSelector: selectorFor(names) }, stop.signal)).items;
  const [services, deployments, replicaSets, pods, autoscalers, slices, ingresses, routes] = await Promise.all([
    list<{ readonly metadata: Metadata }>(pathOf("Service", namespace)),
    list<Deployment>(pathOf("Deployment", namespace)),
    list<ReplicaSet>(replicaSetsPath(namespace)),
    list<Pod>(podsPath(namespace)),
    list<Autoscaler>(pathOf("HorizontalPodAutoscaler", namespace)),
    list<EndpointSlice>(`/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`),
    listKind<Exposure>(place, "Ingress", selectorFor(names), { signal: stop.signal }),
    listKind<Exposure>(place, "HTTPRoute", selectorFor(names), { signal: stop.signal }),
  ]).catch((error) => {
    // Answers that are too long would otherwise be read one after the other.
    stop.abort();
    throw error;
  });
  const there = new Set([...services, ...deployments].map(({ metadata }) => metadata.labels?.[serviceLabel] ?? ""));
  requireAll(names, there, place);
  return Promise.all(
    [...(names.length === 0 ? there : new Set(names))].sort().map(async (name) => {
      const isOf = ({ metadata }: { readonly metadata?: Pick<Metadata, "labels"> | undefined }) =>
        metadata?.labels?.[serviceLabel] === name;
      const observed = observedOf(name, { deployments, replicaSets, pods });
      const autoscaler = autoscalers.find(isOf);
      const { minReplicas = 1, maxReplicas = 1 } = autoscaler?.spec ?? {};
      const state = await stateOf(place, observed);
      const blindness = autoscaler && blindnessOf(autoscaler);
      return {
        name,
        ...state,
        ...(blindness ? { state: "changing" as const, reason: [state.reason ?? [], blindness].flat().join(" ") } : {}),
        ...(autoscaler ? { autoscaling: { minReplicas, maxReplicas } } : {}),
        endpoints: slices.filter(isOf).flatMap(addressesOf).sort(),
        ...urlsIn([...ingresses, ...routes].filter(isOf)),
      };
    }),
  );
}

export function requireAll(
  names: readonly string[],
  there: ReadonlySet<string>,
  place: { readonly namespace: string; readonly context: string },
): void {
  const missing = names.filter((name) => !there.has(name));
  if (missing.length === 0) return;
  const known = [...there].sort().join(", ");
  throw noSuchService(
    missing,
    place,
    known === "" ? "`slipway service status` lists its services." : `It has ${known}.`,
  );
}

export function noSuchService(
  missing: readonly string[],
  { namespace, context }: { readonly namespace: string; readonly context: string },
  remedy: string,
): UserError {
  const culprit = missing.join(", ");
  return new UserError(
    { code: "service-not-found", culprit },
    `Namespace ${namespace} of cluster ${context} has no service ${culprit}.`,
    remedy,
  );
}

async function stateOf(
  place: Place,
  observed: Observed,
): Promise<Pick<ServiceStatus, "state" | "replicas" | "image" | "reason">> {
  const { deployment } = observed;
  const { current, old } = podsOf(observed);
  const wanted = deployment === undefined ? 0 : wantedReplicas(deployment);
  const replicas = { wanted, ready: current.filter(isPodReady).length, old: old.length };
  const image = deployment?.spec.template.spec.containers.find(({ name }) => name === containerName)?.image;
  const common = { replicas, ...(image === undefined ? {} : { image }) };
  if (isReady(observed)) return { ...common, state: wanted === 0 ? "stopped" : "ready" };
  const trouble = await troubleOf(place, observed);
  return { ...common, state: "changing", ...(trouble ? { reason: trouble.words } : {}) };
}

/** Why an autoscaler cannot choose a number of replicas. */
function blindnessOf({ status }: Autoscaler): string | undefined {
  const inactive = status?.conditions?.find(
    ({ type, status, reason }) => type === "ScalingActive" && status === "False" && reason !== "ScalingDisabled",
  );
  if (inactive === undefined) return undefined;
  const remedy = "Install the cluster's metrics server, or remove `autoscaling`.";
  return `Its autoscaler gets no metrics (${inactive.reason}): ${oneLine(inactive.message)}. ${remedy}`;
}

function addressesOf({ endpoints, ports }: EndpointSlice): string[] {
  const ready = (endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false);
  return ready.flatMap(({ addresses }) =>
    addresses.flatMap((address) => (ports ?? []).map(({ port }) => `${host(address)}:${port}`)),
  );
}

function host(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}
