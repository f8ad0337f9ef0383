import { expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { ownArchitecture } from "../oci/descriptor.ts";
import { serverOfTest, stateOfTest } from "../registry-server/testdata/fixture.ts";
import { checkArchitecture } from "./architecture.ts";
import { pushImage } from "./testdata/image.ts";

it("refuses an image that its nodes cannot run", async () => {
  const { env, paths } = await stateOfTest();
  const registry = await serverOfTest({ paths });
  const image = await pushImage(registry, "test/any", {}, {});
  const own = ownArchitecture();
  const other = own === "amd64" ? "arm64" : "amd64";
  const on = (architecture: string) => ({ nodeSelector: { "kubernetes.io/arch": architecture } });
  await checkArchitecture(image, on(own), env);
  await checkArchitecture(image, { nodeSelector: { pool: "a" } }, env);
  await expect(checkArchitecture(image, on(other), env)).rejects.toThrow(userErrorWith("image-unsuitable", image));
  await expect(checkArchitecture(image, on(other), env)).rejects.toThrow(`linux/${other}`);
});

it("leaves it to the nodes where this machine cannot read the image", async () => {
  const { env } = await stateOfTest();
  const image = `127.0.0.1:1/a@sha256:${"0".repeat(64)}`;
  await checkArchitecture(image, { nodeSelector: { "kubernetes.io/arch": "arm64" } }, env);
});
