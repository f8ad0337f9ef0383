import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { describeRight } from "../../kubernetes/access.ts";
import { serviceRights } from "./access.ts";

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

it("the rights that services use are those of the role in the documentation", () => {
  const [, text = ""] =
    /```yaml\n(apiVersion: rbac[\s\S]*?)```/.exec(readFileSync("docs/services-kubernetes.md", "utf8")) ?? [];
  const { rules } = parse(text) as { readonly rules: readonly Rule[] };
  const documented = rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((path) => {
        const [resource = "", subresource] = path.split("/");
        return verbs.map((verb) => describeRight({ group, resource, verb, ...(subresource ? { subresource } : {}) }));
      }),
    ),
  );
  expect(documented.sort()).toEqual(serviceRights.map(describeRight).sort());
});
