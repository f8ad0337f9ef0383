import type { Api } from "../../../kubernetes/api.ts";
import { ifFound } from "../../../kubernetes/if-found.ts";
import { until } from "../../../kubernetes/testdata/cluster.ts";

const group = "gateway.networking.k8s.io";
const text = { type: "string" };
const number = { type: "integer" };
const listOf = (items: object) => ({ type: "array", items });
const objectOf = (properties: object) => ({ type: "object", properties });
const anything = { type: "object", "x-kubernetes-preserve-unknown-fields": true };

/** The fields of an HTTPRoute that services have, with the defaults that the API server sets (Gateway API 1.6). */
const route = objectOf({
  hostnames: listOf(text),
  parentRefs: listOf(objectOf({ group: text, kind: text, name: text, namespace: text, sectionName: text })),
  rules: listOf(
    objectOf({
      backendRefs: listOf(
        objectOf({
          group: { ...text, default: "" },
          kind: { ...text, default: "Service" },
          name: text,
          port: number,
          weight: { ...number, default: 1 },
        }),
      ),
      matches: {
        ...listOf(objectOf({ path: objectOf({ type: text, value: text }) })),
        default: [{ path: { type: "PathPrefix", value: "/" } }],
      },
    }),
  ),
});

function definitionOf(kind: string, spec: object): object {
  const plural = `${kind.toLowerCase()}s`;
  return {
    metadata: {
      name: `${plural}.${group}`,
      // The API server demands it for this group.
      annotations: { "api-approved.kubernetes.io": "unapproved, of a test" },
    },
    spec: {
      group,
      scope: "Namespaced",
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: "object", properties: { spec } } },
        },
      ],
    },
  };
}

/**
 * Gives a cluster the part of the Gateway API that services use, unless it has the whole.
 *
 * @returns a function that removes what was made
 */
export async function gatewayApi(api: Api): Promise<() => Promise<void>> {
  const path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  const made: string[] = [];
  for (const [kind, spec] of Object.entries({ Gateway: anything, HTTPRoute: route })) {
    const plural = `${kind.toLowerCase()}s`;
    const served = async () => (await ifFound(api.ask("GET", `/apis/${group}/v1/${plural}`))) !== undefined;
    if (await served()) continue;
    await api.ask("POST", path, { body: definitionOf(kind, spec) });
    made.push(`${path}/${plural}.${group}`);
    await until(served, `the cluster has ${plural}`);
  }
  return async () => {
    for (const each of made) await api.ask("DELETE", each);
  };
}
