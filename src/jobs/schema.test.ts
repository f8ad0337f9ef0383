import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { jobJsonSchema } from "./schema.ts";

describe("the JSON Schema of jobs", () => {
  const accepts = new Ajv2020({ strict: false, allErrors: true }).compile(jobJsonSchema());
  const interpreter = { ContainerAtTag: { repository: "docker.io/library/python", tag: "3.12-slim" } };

  it.each([
    { interpreter, command: ["python", "-V"] },
    {
      ...{ interpreter, code: { ServerAvailableFolder: { code_paths: ["code"] } }, function: "report:total" },
      ...{ arguments: [[1, { a: null }]], resources: { cpu: 0.5, memory: "256MiB" }, time_limit: "1h30m", retries: 2 },
    },
    { interpreter, command: ["x"], resources: { memory: 1048576 }, time_limit: 90, code: null },
    { interpreter, command: ["x"], matrix: { SEED: [1, "two", true] }, parallelism: 3 },
  ])("accepts %j", (job) => {
    expect(accepts(job), JSON.stringify(accepts.errors)).toBe(true);
  });

  it.each([
    { interpreter, comand: ["x"] },
    { interpreter: { ContainerAtTag: { tag: "x" } } },
    { interpreter, command: "x" },
    { command: ["x"] },
    { interpreter, command: ["x"], network: "bridge" },
    { interpreter, command: ["x"], retries: 0.5 },
    { interpreter, command: ["x"], environment: { A: 1 } },
    { interpreter, command: ["x"], time_limit: ["1h"] },
    { interpreter, command: ["x"], matrix: { SEED: 1 } },
    { interpreter, command: ["x"], matrix: { SEED: [] } },
  ])("refuses %j", (job) => {
    expect(accepts(job)).toBe(false);
  });
});
