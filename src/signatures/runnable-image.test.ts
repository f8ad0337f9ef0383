import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../core/testdata/folder.ts";
import { failureWith } from "../core/testdata/reported.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { sha256 } from "../oci/digest.ts";
import { mediaTypes } from "../oci/media-types.ts";
import { open, registry, useRegistry } from "../registry/client/testdata/harness.ts";
import { readSigningKey } from "./keys.ts";
import { isRestricted, ownImage, runnableImage } from "./runnable-image.ts";
import { signImage } from "./sign.ts";

useRegistry();

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
  for (const name of ["right", "wrong"]) {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    writeFileSync(join(folder, `${name}.key`), privateKey.export({ format: "pem", type: "pkcs8" }));
    writeFileSync(join(folder, `${name}.pub`), publicKey.export({ format: "pem", type: "spki" }));
  }
});

function configured(more = "", place = "HOST/team"): Record<string, string> {
  const path = join(folder, "config.yaml");
  const text = `images: {${place}: {require: {signature: {key: right.pub}${more}}}}`;
  writeFileSync(path, text.replaceAll("HOST", registry.host));
  return { SLIPWAY_CONFIG: path };
}

const image: Descriptor = { mediaType: mediaTypes.manifest, digest: sha256("image"), size: 5 };
const name = () => `${registry.host}/team/app@${image.digest}`;
const never = () => Promise.reject(new Error("a registry was asked"));
const ask = (env: Record<string, string>, reference = name()) => runnableImage(reference, env, async () => open());

async function sign(by: string, what = image): Promise<void> {
  await signImage(open(), "team/app", what, await readSigningKey(join(folder, `${by}.key`), {}));
}

describe("an image", () => {
  it("runs without a request where no rule is for its registry", async () => {
    expect(await runnableImage(name(), { SLIPWAY_CONFIG: "/dev/null" }, never)).toBe(name());
    expect(await runnableImage(name(), configured("", "registry.example.com"), never)).toBe(name());
    expect(await isRestricted(name(), configured("", "registry.example.com"))).toBe(false);
  });

  it("does not run unsigned, or signed with another key", async () => {
    const env = configured();
    await expect(ask(env)).rejects.toThrow(failureWith("signature-missing", name()));
    await sign("wrong");
    await expect(ask(env)).rejects.toThrow(failureWith("signature-invalid", name()));
  });

  it("runs signed with the key, and is asked about once", async () => {
    const env = configured();
    await sign("right");
    const before = registry.log.length;
    expect(await ask(env)).toBe(name());
    // Referrers and, in place of their API that this registry lacks, the tag; then the bundle's manifest and the
    // bundle.
    expect(registry.log.slice(before)).toHaveLength(4);
    expect(await runnableImage(name(), env, never)).toBe(name());
  });

  it("does not run without an attestation that is required too", async () => {
    await sign("right");
    const env = configured(", attestations: [{type: slsaprovenance1, builder: https://ci.example.com}]");
    await expect(ask(env)).rejects.toThrow(failureWith("signature-missing", name()));
  });

  it("that this process made runs, signed or not", async () => {
    const own = `${registry.host}/team/own@${image.digest}`;
    const env = configured();
    await expect(ask(env, own)).rejects.toThrow(failureWith("signature-missing"));
    ownImage(own);
    expect(await runnableImage(own, env, never)).toBe(own);
  });
});
