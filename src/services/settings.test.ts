import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { folderOfTest } from "../git/testdata/git-repository.ts";
import { readServiceSettings } from "./settings.ts";

function configured(text: string): { SLIPWAY_CONFIG: string } {
  const path = join(folderOfTest(), "config.yaml");
  writeFileSync(path, text);
  return { SLIPWAY_CONFIG: path };
}

it("has instance types beside the settings of services", async () => {
  const env = configured("instanceTypes: {a: {cpu: 1, memory: 1}}\nservices: {models: {claim: m}}\n");
  const { instanceTypes, modelsClaim } = await readServiceSettings(env);
  expect(instanceTypes["a"]).toMatchObject({ cpu: 1, memory: 1 });
  expect(modelsClaim).toBe("m");
  expect(await readServiceSettings(configured("# later\n"))).toEqual(
    await readServiceSettings({ XDG_CONFIG_HOME: "/nonexistent" }),
  );
});

it("says where instance types go", async () => {
  const env = configured("services:\n  instanceTypes: {a: {cpu: 1, memory: 1}}\n");
  await expect(readServiceSettings(env)).rejects.toThrow(userErrorWith("field-invalid", /config\.yaml:2:3$/));
  await expect(readServiceSettings(env)).rejects.toThrow("Move it to the left margin");
});
