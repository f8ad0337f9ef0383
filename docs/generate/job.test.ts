import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { generated } from "./job.ts";

it.each(Object.entries(generated))("%s is what the schema of a job says", (path, make) => {
  const before = readFileSync(path, "utf8");
  expect(make(before), "Run `node docs/generate/update-job.ts`.").toBe(before);
});
