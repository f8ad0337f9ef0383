import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { describeRight, neededRights } from "./access.ts";

it("the rights that are asked for are those of the role in the documentation", () => {
  const [, text = ""] = /```yaml\n(apiVersion: rbac[\s\S]*?)```/.exec(readFileSync("docs/kubernetes.md", "utf8")) ?? [];
  const rules = parse(text).rules as { apiGroups: string[]; resources: string[]; verbs: string[] }[];
  const documented = rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((path) => {
        const [resource = "", subresource] = path.split("/");
        return verbs.map((verb) => describeRight({ group, resource, ...(subresource ? { subresource } : {}), verb }));
      }),
    ),
  );
  expect(documented.sort()).toEqual(neededRights.map(describeRight).sort());
});
