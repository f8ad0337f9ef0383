import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, expect, it, vi } from "vitest";
import { fetchManifest } from "../../src/registry/client/fetch-manifest.ts";
import { pushImages } from "../../src/registry/client/push.ts";
import { imageOf } from "../../src/registry/client/testdata/images.ts";
import { readSigningKey } from "../../src/signatures/keys.ts";
import { signImage } from "../../src/signatures/sign.ts";
import { Moto } from "../credentials/testdata/moto.ts";
import { daemonsOfTest } from "./testdata/daemon.ts";
import { registries } from "./testdata/registries.ts";

const run = promisify(execFile);
const region = "eu-central-1";
const repository = "team/app";

afterEach(() => vi.unstubAllEnvs());

/** An image, and a key in KMS that Slipway and cosign know by the same name. */
async function setUp(spec: string) {
  const { client, host, env } = await (registries["the embedded registry"] as (typeof registries)[string])();
  await pushImages([imageOf(client, { repository, tags: ["v1"], layers: ["layer"] })], { check: "tags" });
  const { descriptor } = await fetchManifest(client, repository, "v1");
  const moto = await Moto.start(daemonsOfTest());
  await moto.createKey(region, "team", spec);
  await moto.createKey(region, "other", spec);
  const aws = moto.env(region);
  for (const [name, value] of Object.entries(aws)) vi.stubEnv(name, value);
  const verifyByCosign = (alias: string) => {
    const reference = `${host}/${repository}@${descriptor.digest}`;
    const args = ["verify", `--key=awskms:///alias/${alias}`, "--insecure-ignore-tlog=true", reference];
    return run("cosign", args, { env: { ...env, ...aws } });
  };
  return { client, descriptor, verifyByCosign };
}

// Not the other way round: cosign sends KMS a digest, which moto hashes again.
it.each(["ECC_NIST_P256", "RSA_2048"])("cosign verifies what Slipway signed with %s in a KMS", async (spec) => {
  const { client, descriptor, verifyByCosign } = await setUp(spec);
  await expect(verifyByCosign("team")).rejects.toThrow(/no signatures found/);
  await signImage(client, repository, descriptor, await readSigningKey("awskms:///alias/team"));
  const { stdout } = await verifyByCosign("team");
  expect(JSON.parse(stdout)[0].critical.image["docker-manifest-digest"]).toBe(descriptor.digest);
  await expect(verifyByCosign("other")).rejects.toThrow(/failed to verify signature/);
});
