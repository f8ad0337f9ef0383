import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../src/core/testdata/folder.ts";
import { failureWith } from "../../src/core/testdata/reported.ts";
import { fetchManifest } from "../../src/registry/client/fetch-manifest.ts";
import { pushImages } from "../../src/registry/client/push.ts";
import { imageOf } from "../../src/registry/client/testdata/images.ts";
import { removeImage } from "../../src/registry/referrers.ts";
import { readPublicKey, readSigningKey } from "../../src/signatures/keys.ts";
import { signImage } from "../../src/signatures/sign.ts";
import { verifyImage } from "../../src/signatures/verify.ts";
import { registries } from "./testdata/registries.ts";

const run = promisify(execFile);
const repository = "team/app";

/** No transparency log: its services are not reachable from everywhere. */
const offline =
  '{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json","rekorTlogConfig":{},"tsaConfig":{}}';

describe.each(Object.keys(registries))("signatures in %s", (name) => {
  /** An image, and a key pair that cosign made. */
  async function setUp() {
    const { client, host, env } = await (registries[name] as (typeof registries)[string])();
    await pushImages([imageOf(client, { repository, tags: ["v1"], layers: ["layer"] })], { check: "tags" });
    const { descriptor } = await fetchManifest(client, repository, "v1");
    const cwd = temporaryFolder();
    const withPassword = { ...env, COSIGN_PASSWORD: "geheim" };
    const cosign = (...args: string[]) => run("cosign", args, { cwd, env: withPassword });
    await cosign("generate-key-pair");
    writeFileSync(join(cwd, "offline.json"), offline);
    const reference = `${host}/${repository}@${descriptor.digest}`;
    const publicKey = () => readPublicKey(join(cwd, "cosign.pub"));
    const privateKey = () => readSigningKey(join(cwd, "cosign.key"), withPassword);
    return { client, cosign, cwd, descriptor, reference, publicKey, privateKey };
  }
  const verifyOptions = ["verify", "--key=cosign.pub", "--insecure-ignore-tlog=true"];

  it("by Slipway are verified by cosign, with the right key only", async () => {
    const { client, cosign, cwd, descriptor, reference, privateKey } = await setUp();
    await expect(cosign(...verifyOptions, reference)).rejects.toThrow(/no signatures found/);
    await signImage(client, repository, descriptor, await privateKey());
    const { stdout } = await cosign(...verifyOptions, reference);
    expect(JSON.parse(stdout)[0].critical.image["docker-manifest-digest"]).toBe(descriptor.digest);
    const right = readFileSync(join(cwd, "cosign.pub"), "utf8");
    await cosign("generate-key-pair", "--output-key-prefix=other");
    writeFileSync(join(cwd, "cosign.pub"), readFileSync(join(cwd, "other.pub")));
    await expect(cosign(...verifyOptions, reference)).rejects.toThrow(/failed to verify signature/);
    writeFileSync(join(cwd, "cosign.pub"), right);
    await cosign(...verifyOptions, reference);
  });

  it.each([
    ["a bundle", ["--signing-config=offline.json"]],
    ["a tag", ["--new-bundle-format=false", "--use-signing-config=false", "--tlog-upload=false"]],
  ])("by cosign in %s are verified by Slipway, and removed with the image", async (_, options) => {
    const { client, cosign, descriptor, reference, publicKey } = await setUp();
    const verify = async () => verifyImage(client, repository, descriptor.digest, await publicKey());
    await expect(verify()).rejects.toThrow(failureWith("signature-missing", reference));
    await cosign("sign", "--yes", "--key=cosign.key", ...options, reference);
    expect(await verify()).toHaveLength(1);
    await removeImage(client, repository, descriptor.digest);
    // Crane's registry keeps tags of an image that was deleted by digest.
    expect((await client.listTags(repository)).filter((tag) => tag !== "v1")).toEqual([]);
    await expect(verify()).rejects.toThrow(failureWith("signature-missing"));
  });
});
