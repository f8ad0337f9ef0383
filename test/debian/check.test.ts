import { execFileSync } from "node:child_process";
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CheckedImage } from "../../src/cli/image/check/image.ts";
import { checkRequirements, type Requirement } from "../../src/cli/image/check/requirement.ts";
import { sematicRequirements } from "../../src/cli/image/check/sematic.ts";
import { slipwayRequirements } from "../../src/cli/image/check/slipway.ts";
import { fetchImage, openImage } from "../../src/cli/image/named-image.ts";
import { FakeRegistry } from "../../src/registry/client/testdata/fake-registry.ts";

const runfiles = process.env["TEST_SRCDIR"] ?? "";

/** Puts the image of an OCI layout into a registry, as `NAME:v1`. */
function push(registry: FakeRegistry, name: string, layouts: string): string {
  const [layout = "", ...more] = globSync(layouts, { cwd: runfiles });
  expect(more).toEqual([]);
  const folder = join(runfiles, layout);
  const blobs = join(folder, "blobs/sha256");
  for (const digest of readdirSync(blobs)) registry.putBlob(name, readFileSync(join(blobs, digest)));
  const [{ digest, mediaType }] = JSON.parse(readFileSync(join(folder, "index.json"), "utf8")).manifests;
  registry.manifests.set(`${name} v1`, { bytes: readFileSync(join(blobs, digest.split(":")[1])), mediaType });
  return `${registry.host}/${name}:v1`;
}

let registry: FakeRegistry;
beforeAll(async () => {
  registry = await FakeRegistry.start();
});
afterAll(() => registry.stop());

/** The requirements that an image does not meet. */
async function unmet(reference: string, requirements: readonly Requirement[]): Promise<string[]> {
  const image = await openImage(reference);
  const outcomes = await checkRequirements(await CheckedImage.read(image, await fetchImage(image)), requirements);
  image.client.close();
  return outcomes.filter(({ status }) => status !== "met").map(({ requirement }) => requirement.id);
}

describe("slipway image check of a default base, which has no program yet,", () => {
  it.each<[string, readonly Requirement[], string[]]>([
    ["worker_base", slipwayRequirements, ["entrypoint"]],
    ["worker_base", sematicRequirements([]), ["code", "entrypoint", "bin", "path"]],
    ["sematic_base", sematicRequirements([]), ["code", "entrypoint"]],
    ["slim_base", slipwayRequirements, ["entrypoint"]],
    ["slim_base", sematicRequirements([]), ["code", "entrypoint", "python", "bin", "path"]],
  ])("%s", async (name, requirements, missing) => {
    const reference = push(registry, name, `*${name}_*/image/image.layout`);
    expect(await unmet(reference, requirements)).toEqual(missing);
  });
});

describe("a py_pipeline with Sematic's worker as the module of its images", () => {
  it("meets every requirement of Sematic", async () => {
    const reference = push(registry, "flow", "_main/test/debian/flow_default_image.layout");
    expect(await unmet(reference, sematicRequirements(["flow"]))).toEqual([]);
  });

  it.skipIf(!existsSync("/usr/bin/python3"))("starts the worker, which finds the program and the SDK", () => {
    const said = execFileSync(join(runfiles, "_main/test/debian/flow_worker"), ["--run_id", "a b"], {
      encoding: "utf8",
    });
    expect(said).toBe("flow slipway --run_id a b\n");
  });
});
