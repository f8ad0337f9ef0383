import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { UserError } from "../core/errors.ts";
import { userErrorWith } from "../core/testdata/reported.ts";
import { folderOfTest } from "../git/testdata/git-repository.ts";
import { defaultInstanceTypes, placedResources, readInstanceTypes, unknownType } from "./instance-types.ts";
import { registrySettings } from "./settings.ts";

function configured(text: string): { SLIPWAY_CONFIG: string } {
  const path = join(folderOfTest(), "config.yaml");
  writeFileSync(path, text);
  return { SLIPWAY_CONFIG: path };
}

it("has the types of the specs without configuration", async () => {
  expect(await readInstanceTypes({ XDG_CONFIG_HOME: "/nonexistent" })).toEqual(defaultInstanceTypes);
  expect(await readInstanceTypes(configured("registries: {}\n"))).toEqual(defaultInstanceTypes);
  expect(await readInstanceTypes(configured("# later\n"))).toEqual(defaultInstanceTypes);
  expect(defaultInstanceTypes["C4"]).toEqual({
    cpu: 2,
    memory: 4 * 2 ** 30,
    gpu: 0,
    nodeSelector: {},
    tolerations: [],
  });
});

it("takes types of the configuration file, which other sections are in too", async () => {
  const env = configured(`
registries: {"localhost:5000": {plainHttp: true}}
instanceTypes:
  C4: {cpu: 0.5, memory: 512MiB}
  big: {cpu: 64, memory: 1GiB, gpu: 8, nodeSelector: {pool: gpu}, tolerations: [{key: a, value: b, effect: NoExecute}, {key: c}]}
  arm: {cpu: 1, memory: 1GiB, architecture: arm64, nodeSelector: {pool: a}, priorityClass: low, spot: true, gpuResource: amd.com/gpu}
`);
  const types = await readInstanceTypes(env);
  expect(types["C4"]).toEqual({ cpu: 0.5, memory: 2 ** 29, gpu: 0, nodeSelector: {}, tolerations: [] });
  expect(types["big"]).toEqual({
    cpu: 64,
    memory: 2 ** 30,
    gpu: 8,
    nodeSelector: { pool: "gpu" },
    tolerations: [
      { key: "a", operator: "Equal", value: "b", effect: "NoExecute" },
      { key: "c", operator: "Exists" },
    ],
  });
  expect(types["arm"]).toEqual({
    cpu: 1,
    memory: 2 ** 30,
    gpu: 0,
    gpuResource: "amd.com/gpu",
    nodeSelector: { pool: "a", "kubernetes.io/arch": "arm64" },
    tolerations: [],
    priorityClass: "low",
    spot: true,
  });
  expect(types["C5"]).toEqual(defaultInstanceTypes["C5"]);
  expect((await registrySettings("localhost:5000", env)).plainHttp).toBe(true);
});

it.each([
  ["{cpu: 1}", "a.memory"],
  ["{cpu: 0, memory: 1}", "a.cpu"],
  ["{cpu: 1, memory: 1, gpus: 1}", /a\.gpus .*\(did you mean gpu\?\)/],
  ["{cpu: 1, memory: 1, nodeSelector: {a: -b}}", "a.nodeSelector"],
  ["{cpu: 1, memory: 1, tolerations: [{key: a, effect: Never}]}", "a.tolerations[0].effect"],
  ["{cpu: 1, memory: 1, architecture: x86}", "a.architecture is none of amd64, arm64"],
  ["{cpu: 1, memory: 1, priorityClass: High}", "a.priorityClass"],
  ["{cpu: 1, memory: 1, gpuResource: gpu}", "such as amd.com/gpu"],
  ["{cpu: 1, memory: 1, spot: often}", "Write true or false"],
])("refuses %s", async (type, words) => {
  const env = configured(`instanceTypes: {a: ${type}}`);
  await expect(readInstanceTypes(env)).rejects.toThrow(userErrorWith("field-invalid", /config\.yaml:1:\d+$/));
  await expect(readInstanceTypes(env)).rejects.toThrow(words);
  await expect(readInstanceTypes(configured("instanceTypes: {__proto__: {cpu: 1}}"))).rejects.toThrow(
    "__proto__.memory",
  );
});

it("gives resources the fields of their type, over which their own win", async () => {
  const env = configured("instanceTypes: {big: {cpu: 64, memory: 1GiB, gpu: 1, nodeSelector: {pool: a}, spot: true}}");
  const unexpected = () => new UserError({ code: "value-invalid", culprit: "" }, "", "");
  expect(await placedResources({ cpu: 1 }, { SLIPWAY_CONFIG: "/nonexistent" }, unexpected)).toEqual({ cpu: 1 });
  expect(await placedResources({ instance_type: "big", cpu: 2, gpu: 0 }, env, unexpected)).toEqual({
    cpu: 2,
    memory: 2 ** 30,
    gpu: 0,
    nodeSelector: { pool: "a" },
    tolerations: [],
    spot: true,
  });
  const refused = placedResources({ instance_type: "bg" }, env, ({ problem, remedy }) => {
    return new UserError({ code: "field-invalid", culprit: "here" }, `It ${problem}.`, remedy);
  });
  await expect(refused).rejects.toThrow(userErrorWith("field-invalid", "here"));
});

it("names the nearest type first where there is none of a name", () => {
  expect(unknownType("C4", ["C1", "C4"])).toBeUndefined();
  expect(unknownType("Free-C4", ["C1", "C4"])).toEqual({
    problem: "is not an instance type (did you mean C4?)",
    remedy: "Known: C4, C1. More go under instanceTypes of the configuration file.",
  });
  expect(unknownType("toString", ["C1"])?.problem).toBe("is not an instance type");
});
