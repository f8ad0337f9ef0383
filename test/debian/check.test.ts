import { globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CheckedImage } from "../../src/cli/image/check/image.ts";
import { checkRequirements, type Requirement } from "../../src/cli/image/check/requirement.ts";
import { sematicRequirements } from "../../src/cli/image/check/sematic.ts";
import { slipwayRequirements } from "../../src/cli/image/check/slipway.ts";
import { fetchImage, openImage } from "../../src/cli/image/named-image.ts";
import { FakeRegistry } from "../../src/registry/client/testdata/fake-registry.ts";

/** Puts the image of an OCI layout into a registry, as `NAME:v1`. */
function push(registry: FakeRegistry, name: string): string {
  const [layout = "", ...more] = globSync(`*${name}_*/image/image.layout`, { cwd: process.env["TEST_SRCDIR"] ?? "" });
  expect(more).toEqual([]);
  const folder = join(process.env["TEST_SRCDIR"] ?? "", layout);
  const blobs = join(folder, "blobs/sha256");
  for (const digest of readdirSync(blobs)) registry.putBlob(name, readFileSync(join(blobs, digest)));
  const [{ digest, mediaType }] = JSON.parse(readFileSync(join(folder, "index.json"), "utf8")).manifests;
  registry.manifests.set(`${name} v1`, { bytes: readFileSync(join(blobs, digest.split(":")[1])), mediaType });
  return `${registry.host}/${name}:v1`;
}

describe("slipway image check of a default base, which has no program yet,", () => {
  let registry: FakeRegistry;
  beforeAll(async () => {
    registry = await FakeRegistry.start();
  });
  afterAll(() => registry.stop());

  it.each<[string, readonly Requirement[], string[]]>([
    ["worker_base", slipwayRequirements, ["entrypoint"]],
    ["worker_base", sematicRequirements([]), ["code", "entrypoint", "bin", "path"]],
    ["sematic_base", sematicRequirements([]), ["code", "entrypoint"]],
    ["slim_base", slipwayRequirements, ["entrypoint"]],
    ["slim_base", sematicRequirements([]), ["code", "entrypoint", "python", "bin", "path"]],
  ])("%s", async (name, requirements, missing) => {
    const image = await openImage(push(registry, name));
    const outcomes = await checkRequirements(await CheckedImage.read(image, await fetchImage(image)), requirements);
    image.client.close();
    const failed = outcomes.filter(({ status }) => status !== "met").map(({ requirement }) => requirement.id);
    expect(failed).toEqual(missing);
  });
});
