import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { imageRules } from "../config/settings.ts";
import { exitStatusOf } from "../core/errors.ts";
import { temporaryFolder } from "../core/testdata/folder.ts";
import { failureWith } from "../core/testdata/reported.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { sha256 } from "../oci/digest.ts";
import { mediaTypes } from "../oci/media-types.ts";
import { parseReference } from "../oci/reference.ts";
import { open, registry, useRegistry } from "../registry/client/testdata/harness.ts";
import { requireSignature, signPushed } from "./rules.ts";

useRegistry();

const image: Descriptor = { mediaType: mediaTypes.manifest, digest: sha256("image"), size: 5 };

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
  for (const name of ["one", "two"]) {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    writeFileSync(join(folder, `${name}.key`), privateKey.export({ format: "pem", type: "pkcs8" }));
    writeFileSync(join(folder, `${name}.pub`), publicKey.export({ format: "pem", type: "spki" }));
  }
});

/** HOST stands for the registry. */
function configured(text: string): Record<string, string> {
  const path = join(folder, "config.yaml");
  writeFileSync(path, text.replaceAll("HOST", registry.host));
  return { SLIPWAY_CONFIG: path };
}

const demand = (env: Record<string, string>, repository = "team/app") =>
  requireSignature({ registry: registry.host, repository }, image.digest, async () => open(), env);
const sign = (env: Record<string, string>, repository = "team/app") =>
  signPushed(open(), { registry: registry.host, repository }, [image], env);

const both = (name: string) => `images: {HOST/team: {require: {signature: {key: ${name}.pub}}, sign: {key: one.key}}}`;

describe("the rules for images", () => {
  it("sign, and accept the signature", async () => {
    const env = configured(both("one"));
    await expect(demand(env)).rejects.toThrow(
      failureWith("signature-missing", `${registry.host}/team/app@${image.digest}`),
    );
    await sign(env);
    await demand(env);
  });

  it("hold for every spelling of the registry", async () => {
    const port = registry.host.split(":")[1];
    const env = configured(both("one"));
    for (const host of [
      "LOCALHOST",
      "localhost.",
      "127.0.0.1",
      "127.1",
      "0x7f.1",
      "[::1]",
      "[::ffff:127.0.0.1]",
      "0",
    ]) {
      const asked = requireSignature(
        { registry: `${host}:${port}`, repository: "team/app" },
        image.digest,
        async () => open(),
        env,
      );
      await expect([host, await asked.catch((error) => error)]).toEqual([host, failureWith("signature-missing")]);
    }
    const usual = configured("images: {Registry.Example.com: {require: {signature: {key: one.pub}}}}");
    for (const host of [
      "registry.example.com:443",
      "REGISTRY.example.com",
      "registry.example.com.",
      "registry.example.com:80",
    ]) {
      expect([host, (await imageRules(host, "a", usual)).requiredKey !== undefined]).toEqual([host, true]);
    }
    const hub = configured("images: {index.docker.io/ubuntu: {require: {signature: {key: one.pub}}}}");
    const { registry: name, repository } = parseReference("Docker.io:443/ubuntu");
    expect((await imageRules(name, repository, hub)).requiredKey).toBeDefined();
  });

  it("hold for all others by *", async () => {
    const env = configured('images: {"*": {require: {signature: {key: one.pub}}}, free.example: {}}');
    expect((await imageRules("other.example", "a", env)).requiredKey).toBeDefined();
    expect((await imageRules("free.example", "a", env)).requiredKey).toBeUndefined();
  });

  it("name the image, the key and the line that requires the signature", async () => {
    const env = configured(both("two"));
    await sign(env);
    await expect(demand(env)).rejects.toThrow(failureWith("signature-invalid"));
    const caught = await demand(env).catch((error: unknown) => error);
    expect(exitStatusOf(caught), "a check that fails is no mistake of the user").toBe(1);
    const message = String(caught);
    expect(message).toContain(`${registry.host}/team/app@${image.digest} is valid for ${join(folder, "two.pub")}`);
    expect(message).toMatch(/config\.yaml:1:\d+: images\.\S+\.require\.signature\.key requires the signature\.$/);
  });

  it("cost nothing in other repositories", async () => {
    const env = configured(both("two"));
    for (const repository of ["teams/app", "other"]) {
      await demand(env, repository);
      await sign(env, repository);
    }
    expect(registry.log).toEqual([]);
  });

  it("of the longest name count", async () => {
    const env = configured(
      "images: {HOST: {require: {signature: {key: one.pub}}}, HOST/team/app: {sign: {key: one.key}}}",
    );
    await demand(env);
    await expect(demand(env, "team/other")).rejects.toThrow(failureWith("signature-missing"));
  });

  it.each([
    ["images: {HOST/Team: {}}", /images\.\(a key\) is neither a registry nor a repository/],
    ["images: {HOST: {require: {}}}", /require\.signature is missing/],
    ["images: {HOST: {require: {attestations: [{type: a}]}}}", /require\.signature is missing/],
    ["images: {HOST: {require: }}", /require is not a group/],
    ["images: {HOST: {sign: {}}}", /sign\.key is missing/],
    ["images: {HOST: {require: {signature: {keys: x}}}}", /signature\.keys is not .*\(did you mean key\?\)/],
    ["images: {HOST: {require: {signature: {key: 1}}}}", /signature\.key is not a text/],
    ["images: {HOST: {require: {signature: {key: missing.pub}}}}", /missing\.pub cannot be read/],
    ["image: {HOST: {}}", /image is not .*\(did you mean images\?\)/],
  ])("%s is refused", async (text, problem) => {
    await expect(demand(configured(text))).rejects.toThrow(problem);
  });
});
