import { readFileSync } from "node:fs";
import { vi } from "vitest";
import { parse } from "yaml";
import { kubectl } from "./kubectl.ts";
import type { Rule, TestNamespace } from "./namespace.ts";

export interface Right {
  readonly apiGroup: string;
  readonly resource: string;
  readonly verb: string;
}

/** The Role that a page of the documentation asks for. */
export function documentedRules(path: string): readonly Rule[] {
  const page = readFileSync(path, "utf8");
  for (const [, block = ""] of page.matchAll(/^```yaml\n(.*?)^```/gms)) {
    for (const document of block.split(/^---$/m)) {
      const { kind, rules } = (parse(document) ?? {}) as { kind?: string; rules?: readonly Rule[] };
      if (kind === "Role" && rules) return rules;
    }
  }
  throw new Error(`${path} has no Role`);
}

/** Rules as their single rights. */
export function rightsOf(rules: readonly Rule[]): Right[] {
  return rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((apiGroup) =>
      resources.flatMap((resource) => verbs.map((verb) => ({ apiGroup, resource, verb }))),
    ),
  );
}

export const nameOfRight = ({ apiGroup, resource, verb }: Right) =>
  `${verb} ${apiGroup === "" ? resource : `${resource}.${apiGroup}`}`;

const ruleOf = ({ apiGroup, resource, verb }: Right): Rule => ({
  apiGroups: [apiGroup],
  resources: [resource],
  verbs: [verb],
});

/** Takes one of the rights from the user of a namespace. Settles once the API server knows. */
export async function takeRight(namespace: TestNamespace, rights: readonly Right[], missing: Right): Promise<void> {
  await namespace.grant(rights.filter((right) => right !== missing).map(ruleOf));
  const { apiGroup, resource, verb } = missing;
  const [kind = "", sub] = resource.split("/");
  const asked = [
    ...["auth", "can-i", verb, apiGroup === "" ? kind : `${kind}.${apiGroup}`],
    ...(sub === undefined ? [] : [`--subresource=${sub}`]),
  ];
  const as = [`--as=system:serviceaccount:${namespace.name}:user`, `--namespace=${namespace.name}`];
  // The API server hears of the change a moment later; a no is an exit status too.
  await vi.waitUntil(async () => (await kubectl([...asked, ...as]).catch(() => "no")).trim() === "no", {
    timeout: 20_000,
  });
}
