import { existsSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { blobPath, makeImage } from "./testdata/image.ts";
import { Installed } from "./testdata/installed.ts";
import { Moto } from "./testdata/moto.ts";
import { password, startGuardedRegistry } from "./testdata/registry.ts";

/** The launcher as a push target carries it; what it needs from AWS lies beside it. */
const launcher = ["src", "bazel-bin/src"].map((folder) => join(folder, "launcher.cjs")).find(existsSync) ?? "";
const region = "eu-central-1";
const user = new Installed([password]);
const request = join(user.folder, "request.json");
let registry: string;

beforeAll(async () => {
  registry = await startGuardedRegistry(join(user.folder, "server"));
  const folder = join(user.folder, "image");
  const { manifest, config, layer } = makeImage(folder);
  writeFileSync(
    join(folder, "descriptor"),
    JSON.stringify({ ...manifest, platform: { os: "linux", architecture: "amd64" } }),
  );
  writeFileSync(join(folder, "layer"), JSON.stringify(layer));
  const path = (full: string) => relative(user.folder, full);
  const image = {
    tag: "default",
    registry: "",
    repository: "team/app",
    remoteTags: ["v1"],
    descriptor: path(join(folder, "descriptor")),
    manifest: path(blobPath(folder, manifest)),
    config: path(blobPath(folder, config)),
    blobs: [{ metadata: path(join(folder, "layer")), blob: path(blobPath(folder, layer)) }],
    sources: [],
  };
  const push = {
    version: 1,
    mode: "push",
    target: "//team:app_push",
    imageEnv: [],
    registryServer: "",
    defaultRegistry: "",
  };
  writeFileSync(request, JSON.stringify({ ...push, images: [image] }));
  const moto = await Moto.start();
  await moto.createSecret(region, "team/registry", JSON.stringify({ username: "u", password }));
  Object.assign(user.env, moto.env(region), { SLIPWAY_RUNFILES: user.folder, SLIPWAY_REGISTRY: registry });
});

function push() {
  return user.run(process.execPath, ["--disable-warning=ExperimentalWarning", launcher, request]);
}

function add(...source: string[]) {
  return user.slipway("credentials", "add", "--service", "docker", "--url", `${registry}/team`, ...source);
}

describe("a push to a registry with passwords", () => {
  it("without a credential names the registry, and how to give one", async () => {
    const { status, stderr } = await push();
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /Registry localhost:\d+ answered 401 .*asked anonymously\.\n.*slipway credentials add --service docker/,
    );
  });

  it("whose secret AWS does not have names that, and is not tried anonymously", async () => {
    await add("--aws-secret", "team/other");
    const { status, stderr } = await push();
    expect(status).toBe(2);
    expect(stderr).toMatch(/Credential AWS secret team\/other .*does not exist in region eu-central-1/);
  });

  it("takes the secret of AWS", async () => {
    await add("--aws-secret", "team/registry");
    const { status, stdout, stderr } = await push();
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/^localhost:\d+\/team\/app@sha256:[0-9a-f]{64}\n$/);
  });
});

describe("the secret", () => {
  it("is in no output, command line or file", () => {
    expect(user.watch.commandLines).toBeGreaterThan(5);
    expect(user.watch.findings([])).toEqual([]);
  });
});
