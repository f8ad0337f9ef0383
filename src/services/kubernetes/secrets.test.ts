import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { folderOfTest } from "../../git/testdata/git-repository.ts";
import { contentsOf } from "../served-models.ts";
import { serviceOf } from "../testdata/service.ts";
import { podContent, podTemplate } from "./pod.ts";
import { pullSecrets } from "./secrets.ts";

const syncImage = `r.io/slipway/sync@sha256:${"0".repeat(64)}`;

const service = serviceOf("image: other.io/web:1\nport: 80\nmodels: [{id: m}]\n");

function environmentOfTest(): Record<string, string> {
  const home = folderOfTest();
  const auth = Buffer.from("me:geheim").toString("base64");
  const auths = { "r.io": { auth }, "other.io": { auth } };
  writeFileSync(join(home, "config.json"), JSON.stringify({ auths }));
  return { HOME: home, DOCKER_CONFIG: home, SLIPWAY_REGISTRY: "r.io" };
}

it("copies no credential of the user's unasked", async () => {
  const env = environmentOfTest();
  expect(await pullSecrets(service, [service.image, syncImage], env)).toEqual([]);
  const content = podContent(await contentsOf(service, { instanceTypes: {} }, env), syncImage);
  expect(podTemplate(service, undefined, undefined, content)).not.toHaveProperty("spec.imagePullSecrets");
});

it("copies the one for the image that brings content, and no other, where it may", async () => {
  const env = { ...environmentOfTest(), SLIPWAY_COPY_CREDENTIALS: "1" };
  const [secret, ...others] = await pullSecrets(service, [service.image, syncImage], env);
  expect(others).toEqual([]);
  expect(secret).toMatchObject({ metadata: { name: "web-sync" } });
  const data = secret?.["data"] as Record<string, string> | undefined;
  const config = JSON.parse(Buffer.from(data?.[".dockerconfigjson"] ?? "", "base64").toString());
  expect(Object.keys(config.auths)).toEqual(["r.io"]);
  const content = podContent(await contentsOf(service, { instanceTypes: {} }, env), syncImage, true);
  expect(podTemplate(service, undefined, undefined, content)).toHaveProperty("spec.imagePullSecrets", [
    { name: "web-sync" },
  ]);
});
