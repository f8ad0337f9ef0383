import { expect, it, onTestFinished } from "vitest";
import { pathOf } from "./manifest.ts";
import { serviceStatuses } from "./status.ts";
import { gatewayApi } from "./testdata/gateway-api.ts";
import { answering, serviceOfTest } from "./testdata/service.ts";

it("has an HTTPRoute, and no other one the second time, until it is not exposed", { timeout: 120_000 }, async () => {
  const { place, write, apply } = await serviceOfTest();
  const { api, namespace } = place;
  onTestFinished(await gatewayApi(api));
  const listeners = [
    { name: "plain", protocol: "HTTP", port: 80 },
    { name: "secure", protocol: "HTTPS", port: 443, tls: { certificateRefs: [{ name: "cert" }] } },
  ];
  await api.ask("POST", `/apis/gateway.networking.k8s.io/v1/namespaces/${namespace}/gateways`, {
    body: {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "Gateway",
      metadata: { name: "edge" },
      spec: { gatewayClassName: "of-nobody", listeners },
    },
  });
  const changes = async () =>
    (await apply()).filter(({ kind }) => kind === "HTTPRoute").map(({ action, fields }) => [action, fields]);
  const host = "web.example.com";
  write(answering, { expose: { host } });
  expect(await changes()).toEqual([["create", undefined]]);
  expect(await api.ask("GET", pathOf("HTTPRoute", namespace, "web"))).toMatchObject({
    spec: {
      hostnames: [host],
      parentRefs: [{ name: "edge", namespace, sectionName: "plain" }],
      // The server adds what the manifest leaves out.
      rules: [{ backendRefs: [{ kind: "Service", name: "web", port: 8080, weight: 1 }], matches: [{}] }],
    },
  });
  const urls = async () => (await serviceStatuses(place, ["web"]))[0]?.urls;
  expect(await urls()).toEqual([`http://${host}/`]);
  expect(await changes()).toEqual([]);

  write(answering, { expose: { host, tls: true } });
  expect(await changes()).toEqual([["change", ["spec.parentRefs[0].sectionName"]]]);
  expect(await urls()).toEqual([`https://${host}/`]);
  write(answering);
  expect(await changes()).toEqual([["delete", undefined]]);
  expect(await urls()).toBeUndefined();
});
