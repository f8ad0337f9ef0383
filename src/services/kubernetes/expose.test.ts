import { expect, it } from "vitest";
import { openCluster } from "../../kubernetes/cluster.ts";
import { apiServer, list } from "../../kubernetes/testdata/api-server.ts";
import { serviceOf } from "../testdata/service.ts";
import { listKind } from "./apply.ts";
import { type Exposure, routed, urlsIn } from "./expose.ts";
import { renderService } from "./render.ts";

const gateway = (namespace: string, ...listeners: object[]) => ({
  metadata: { name: "edge", namespace },
  spec: { listeners },
});

/** What becomes of a service that is exposed, in a cluster with Gateways; a number is how it refuses to list them. */
async function exposed(expose: object, gateways: readonly object[] | number) {
  const env = await apiServer((_, response) => {
    if (typeof gateways !== "number") response.end(list(gateways));
    else response.writeHead(gateways).end(JSON.stringify({ kind: "Status", code: gateways, message: "no" }));
  });
  const place = await openCluster(env);
  const service = serviceOf({ image: "a", port: 80, expose });
  const [result] = await routed(place, [{ service, manifests: renderService(service, undefined) }]);
  return { manifest: result?.manifests.at(-1), place };
}

const host = "web.a.io";
const all = { allowedRoutes: { namespaces: { from: "All" } } };
const http = { name: "plain", protocol: "HTTP", ...all };
const https = { name: "secure", protocol: "HTTPS", hostname: "*.a.io", ...all };

it("is an HTTPRoute of a listener that takes the host", async () => {
  const { manifest } = await exposed({ host }, [gateway("infra", https, http)]);
  expect(manifest).toMatchObject({
    kind: "HTTPRoute",
    spec: {
      hostnames: [host],
      parentRefs: [{ name: "edge", namespace: "infra", sectionName: "plain" }],
      rules: [{ backendRefs: [{ name: "web", port: 80 }] }],
    },
  });
  const secure = await exposed({ host, tls: true }, [gateway("infra", http, https)]);
  expect(secure.manifest).toMatchObject({ kind: "HTTPRoute", spec: { parentRefs: [{ sectionName: "secure" }] } });
  expect(urlsIn([secure.manifest as unknown as Exposure])).toEqual({ urls: ["https://web.a.io/"] });
  const near = await exposed({ host }, [gateway("infra", http), gateway("default", { ...http, name: "near" })]);
  expect(near.manifest).toMatchObject({ spec: { parentRefs: [{ namespace: "default", sectionName: "near" }] } });
});

it.each([
  ["has no Gateway API", 404],
  ["does not tell its Gateways", 403],
  ["has a Gateway for other hosts", [gateway("infra", { ...http, hostname: "other.io" })]],
  ["has a Gateway for its own namespace alone", [gateway("infra", { ...http, allowedRoutes: undefined })]],
  ["has a Gateway without TLS", [gateway("infra", http)]],
])("is an Ingress where the cluster %s", async (_, gateways) => {
  const { manifest } = await exposed({ host, tls: "cert" }, gateways);
  expect(manifest).toMatchObject({
    kind: "Ingress",
    spec: {
      rules: [{ host, http: { paths: [{ backend: { service: { name: "web", port: { number: 80 } } } }] } }],
      tls: [{ hosts: [host], secretName: "cert" }],
    },
  });
  expect(urlsIn([manifest as unknown as Exposure])).toEqual({ urls: ["https://web.a.io/"] });
});

it("needs no right to Ingresses and HTTPRoutes where none is exposed", async () => {
  const { place } = await exposed({ host }, 403);
  expect(await listKind(place, "HTTPRoute", "a=b")).toEqual([]);
  await expect(listKind(place, "HTTPRoute", "a=b", { isNeeded: true })).rejects.toThrow();
  await expect(listKind(place, "Deployment", "a=b")).rejects.toThrow();
});

it("refuses what is no host or no Secret", () => {
  for (const expose of [{ host: "web" }, { host: "a_b.io" }, { host, tls: "A B" }, { tls: true }]) {
    expect(() => serviceOf({ image: "a", port: 80, expose })).toThrow(/expose/);
  }
});
