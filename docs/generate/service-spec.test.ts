import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { serviceSpec, serviceSpecPage } from "./service-spec.ts";

it("has the tables of the schema", () => {
  const page = serviceSpec();
  expect(readFileSync(serviceSpecPage, "utf8"), "tools/bazel run //docs:update brings it up to date").toBe(page);
  expect(page.match(/^<!-- fields of .*-->\n\n\| field/gm)).toHaveLength(2);
  // No field without a meaning.
  expect(page).not.toMatch(/^\| `.*\|\s*\|$/m);
});
