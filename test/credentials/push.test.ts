import { join, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { Installed } from "./testdata/installed.ts";
import { Moto } from "./testdata/moto.ts";
import { password, startGuardedRegistry } from "./testdata/registry.ts";

/** The push target of this folder, as `bazel run` starts it. */
const runfiles = process.env["RUNFILES_DIR"] ?? process.env["TEST_SRCDIR"];
const target = runfiles
  ? join(runfiles, "_main/test/credentials/app_push")
  : resolve("bazel-bin/test/credentials/app_push");
const region = "eu-central-1";
const user = new Installed([password]);
let registry: string;

beforeAll(async () => {
  registry = await startGuardedRegistry(user);
  const moto = await Moto.start(user.daemons);
  await moto.createSecret(region, "team/registry", JSON.stringify({ username: "u", password }));
  await moto.createKey(region, "team", "ECC_NIST_P256");
  user.write(".config/slipway/config.yaml", `images: {"${registry}/team": {sign: {key: "awskms:///alias/team"}}}`);
  const run = runfiles ? { RUNFILES_DIR: runfiles } : {};
  Object.assign(user.env, moto.env(region), run, { SLIPWAY_REGISTRY: registry });
});

function push() {
  return user.run(target, []);
}

function add(...source: string[]) {
  return user.slipway("credentials", "add", "--service", "docker", "--url", `${registry}/team`, ...source);
}

describe("a push to a registry with passwords", () => {
  it("without a credential names the registry, and how to give one", async () => {
    const { status, stderr } = await push();
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /localhost:\d+ .*401 .*\n.*slipway credentials add --service docker[\s\S]*\[registry-login\]\n$/,
    );
  });

  it("whose secret AWS does not have names that, and is not tried anonymously", async () => {
    await add("--aws-secret", "team/other");
    const { status, stderr } = await push();
    expect(status).toBe(2);
    expect(stderr).toMatch(/AWS secret team\/other .*eu-central-1[\s\S]*\[credential-invalid\]\n$/);
  });

  it("takes the secret of AWS, and signs the image with a key there", async () => {
    await add("--aws-secret", "team/registry");
    const { status, stdout, stderr } = await push();
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/^localhost:\d+\/team\/app@sha256:[0-9a-f]{64}\n$/);
    const verified = await user.slipway("image", "verify", stdout.trim(), "--key=awskms:///alias/team");
    expect(verified, verified.stderr).toMatchObject({ status: 0, stdout });
  });
});

user.keepsSecrets();
