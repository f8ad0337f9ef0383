import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { describeRight, functionRights, neededRights } from "./access.ts";

it.each([
  ["jobs", 0, neededRights],
  ["functions", 1, functionRights],
] as const)("the rights of %s are those of the role in the documentation", (_, index, rights) => {
  const roles = [...readFileSync("docs/kubernetes.md", "utf8").matchAll(/```yaml\n(apiVersion: rbac[\s\S]*?)```/g)];
  const text = roles[index]?.[1] ?? "";
  const rules = parse(text).rules as { apiGroups: string[]; resources: string[]; verbs: string[] }[];
  const documented = rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((path) => {
        const [resource = "", subresource] = path.split("/");
        return verbs.map((verb) => describeRight({ group, resource, ...(subresource ? { subresource } : {}), verb }));
      }),
    ),
  );
  expect(documented.sort()).toEqual(rights.map(describeRight).sort());
});
