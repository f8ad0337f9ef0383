import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { reported } from "../core/testdata/reported.ts";
import { folderOfTest } from "../deployment/testdata/git-repository.ts";
import { registrySettings } from "../registry/settings/settings.ts";
import { defaultInstanceTypes } from "./instance-types.ts";
import { readServiceSettings } from "./settings.ts";

const readInstanceTypes = async (env: { readonly [name: string]: string }) =>
  (await readServiceSettings(env)).instanceTypes;

function configured(text: string): { SLIPWAY_CONFIG: string } {
  const path = join(folderOfTest(), "config.yaml");
  writeFileSync(path, text);
  return { SLIPWAY_CONFIG: path };
}

it("has the types of the specs without configuration", async () => {
  expect(await readInstanceTypes({ XDG_CONFIG_HOME: "/nonexistent" })).toBe(defaultInstanceTypes);
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
services:
  instanceTypes:
    C4: {cpu: 0.5, memory: 512MiB}
    big: {cpu: 64, memory: 1GiB, gpu: 8, nodeSelector: {pool: gpu}, tolerations: [{key: a, value: b, effect: NoExecute}, {key: c}]}
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
  expect(types["C5"]).toEqual(defaultInstanceTypes["C5"]);
  expect((await registrySettings("localhost:5000", env)).plainHttp).toBe(true);
});

it.each([
  ["services: {instanceTypes: {a: {cpu: 1}}}", "a.memory"],
  ["services: {instanceTypes: {a: {cpu: 0, memory: 1}}}", "a.cpu"],
  ["services: {instanceTypes: {a: {cpu: 1, memory: 1, gpus: 1}}}", /a\.gpus .*\(did you mean gpu\?\)/],
  ["services: {instanceTypes: {a: {cpu: 1, memory: 1, nodeSelector: {a: -b}}}}", "a.nodeSelector"],
  [
    "services: {instanceTypes: {a: {cpu: 1, memory: 1, tolerations: [{key: a, effect: Never}]}}}",
    "a.tolerations[0].effect",
  ],
  ["services: {instancetypes: {}}", "(did you mean instanceTypes?)"],
  ["services: {instanceTypes: {__proto__: {cpu: 1}}}", "__proto__.memory"],
])("refuses %s", async (text, words) => {
  const env = configured(text);
  await expect(readInstanceTypes(env)).rejects.toThrow(reported("field-invalid", /config\.yaml:1:\d+$/));
  await expect(readInstanceTypes(env)).rejects.toThrow(words);
});
