import { refusalOf } from "../../kubernetes/api-error.ts";
import type { Metadata } from "../../kubernetes/objects.ts";
import { listAll } from "../../kubernetes/watch.ts";
import type { Expose, Service } from "../model.ts";
import type { Place } from "./apply.ts";
import { type Manifest, manifestFor } from "./manifest.ts";

interface Gateway {
  readonly metadata: Metadata;
  readonly spec: {
    readonly listeners: readonly {
      readonly name: string;
      readonly protocol: string;
      readonly hostname?: string;
      readonly allowedRoutes?: { readonly namespaces?: { readonly from?: string } };
    }[];
  };
}

interface ParentReference {
  readonly name: string;
  readonly namespace: string;
  readonly sectionName: string;
}

export interface Exposure {
  readonly metadata: Metadata;
  readonly spec: {
    readonly hostnames?: readonly string[];
    readonly rules?: readonly { readonly host?: string }[];
    readonly tls?: readonly object[];
  };
}

/** Marks an HTTPRoute for an HTTPS listener: the route itself does not say. */
const schemeAnnotation = "slipway/scheme";

export function ingressOf({ name, ports: [port] }: Service, { host, tls }: Expose): Manifest {
  const backend = { service: { name, port: { number: port } } };
  const spec = {
    rules: [{ host, http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }],
    ...(tls === false ? {} : { tls: [{ hosts: [host], ...(tls === true ? {} : { secretName: tls }) }] }),
  };
  return manifestFor("Ingress", name, { spec });
}

function routeOf({ name, ports: [port] }: Service, { host, tls }: Expose, parent: ParentReference): Manifest {
  const spec = {
    hostnames: [host],
    parentRefs: [{ group: "gateway.networking.k8s.io", kind: "Gateway", ...parent }],
    rules: [{ backendRefs: [{ name, port }] }],
  };
  return manifestFor("HTTPRoute", name, { spec }, name, { [schemeAnnotation]: tls === false ? "http" : "https" });
}

/** Replaces the Ingress by an HTTPRoute if the cluster has a Gateway for it. */
export async function routed<Some extends { readonly service: Service; readonly manifests: readonly Manifest[] }>(
  place: Place,
  services: readonly Some[],
): Promise<readonly Some[]> {
  if (services.every(({ service }) => service.expose === undefined)) return services;
  const gateways = await gatewaysFor(place);
  return services.map((each) => {
    const { expose } = each.service;
    const parent = expose && listenerFor(place, gateways, expose);
    if (!expose || !parent) return each;
    const manifests = each.manifests.map((manifest) =>
      manifest.kind === "Ingress" ? routeOf(each.service, expose, parent) : manifest,
    );
    return { ...each, manifests };
  });
}

/** All Gateways, or those of the namespace if the user may not list all. None without the Gateway API. */
async function gatewaysFor({ api, namespace }: Place): Promise<readonly Gateway[]> {
  const group = "/apis/gateway.networking.k8s.io/v1";
  for (const path of [`${group}/gateways`, `${group}/namespaces/${namespace}/gateways`]) {
    try {
      return (await listAll<Gateway>(api, { path })).items;
    } catch (error) {
      const { status } = refusalOf(error) ?? {};
      if (status !== 403 && status !== 404) throw error;
    }
  }
  return [];
}

/** Prefers Gateways of the service's namespace. */
function listenerFor(
  { namespace }: Place,
  gateways: readonly Gateway[],
  { host, tls }: Expose,
): ParentReference | undefined {
  const homeOf = ({ metadata }: Gateway) => metadata.namespace ?? namespace;
  const isElsewhere = (gateway: Gateway) => Number(homeOf(gateway) !== namespace);
  for (const gateway of gateways.toSorted((one, other) => isElsewhere(one) - isElsewhere(other))) {
    const { metadata, spec } = gateway;
    const home = homeOf(gateway);
    const listener = spec.listeners.find(({ protocol, hostname, allowedRoutes }) => {
      const from = allowedRoutes?.namespaces?.from ?? "Same";
      const isAllowed = from === "All" || (from === "Same" && home === namespace);
      return isAllowed && protocol === (tls === false ? "HTTP" : "HTTPS") && isFor(hostname, host);
    });
    if (listener) return { name: metadata.name, namespace: home, sectionName: listener.name };
  }
  return undefined;
}

/** `*.a.io` matches all hosts below it. */
function isFor(hostname: string | undefined, host: string): boolean {
  if (hostname === undefined || hostname === host) return true;
  return hostname.startsWith("*.") && host.endsWith(hostname.slice(1));
}

export function urlsIn(exposures: readonly Exposure[]): { readonly urls?: readonly string[] } {
  const urls = exposures.flatMap(({ metadata, spec: { hostnames, rules = [], tls = [] } }) => {
    const isSecure = tls.length > 0 || metadata.annotations?.[schemeAnnotation] === "https";
    const hosts = hostnames ?? rules.flatMap(({ host }) => host ?? []);
    return hosts.map((host) => `${isSecure ? "https" : "http"}://${host}/`);
  });
  return urls.length === 0 ? {} : { urls };
}
