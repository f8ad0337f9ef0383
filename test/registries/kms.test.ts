import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { temporaryFolder } from "../../src/core/testdata/folder.ts";
import { failureWith, userErrorWith } from "../../src/core/testdata/reported.ts";
import type { Descriptor } from "../../src/oci/descriptor.ts";
import { sha256 } from "../../src/oci/digest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { open, registry, useRegistry } from "../../src/registry/client/testdata/harness.ts";
import { readPublicKey, readSigningKey } from "../../src/signatures/keys.ts";
import { requireSignature, signPushed } from "../../src/signatures/rules.ts";
import { signImage } from "../../src/signatures/sign.ts";
import { verifyImage } from "../../src/signatures/verify.ts";
import { Moto } from "../credentials/testdata/moto.ts";
import { privateAuthority } from "./testdata/certificates.ts";
import { Daemons } from "./testdata/daemon.ts";

useRegistry();

const region = "eu-central-1";
const image: Descriptor = { mediaType: mediaTypes.manifest, digest: sha256("image"), size: 5 };
const specs = ["ECC_NIST_P256", "ECC_NIST_P384", "RSA_2048", "SYMMETRIC_DEFAULT"];
const daemons = new Daemons();
const arns: Record<string, string> = {};
let moto: Moto;

beforeAll(async () => {
  moto = await Moto.start(daemons);
  for (const spec of specs) arns[spec] = await moto.createKey(region, spec, spec);
});
afterAll(() => daemons.stop());

const stubAws = (env: Record<string, string | undefined>) => {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
};
beforeEach(() => stubAws(moto.env(region)));
afterEach(() => vi.unstubAllEnvs());

describe("a key in AWS KMS", () => {
  it.each<[string, () => string]>([
    ["an alias", () => "alias/ECC_NIST_P256"],
    ["an ID", () => arns["ECC_NIST_P256"]?.split("/")[1] as string],
    ["an ARN", () => arns["ECC_NIST_P256"] as string],
    ["an alias, with RSA", () => "alias/RSA_2048"],
  ])("signs an image by %s, and verifies it", async (_, name) => {
    const source = `awskms:///${name()}`;
    const key = await readSigningKey(source);
    expect(await signImage(open(), "team/app", image, key)).toBe("signed");
    expect(await signImage(open(), "team/app", image, key)).toBe("unchanged");
    const publicKey = await readPublicKey(source);
    expect(publicKey.name).toBe(source);
    expect(await verifyImage(open(), "team/app", image.digest, publicKey)).toHaveLength(1);
    const other = await readPublicKey(`awskms:///alias/${name().includes("RSA") ? "ECC_NIST_P256" : "RSA_2048"}`);
    await expect(verifyImage(open(), "team/app", image.digest, other)).rejects.toThrow(
      failureWith("signature-invalid"),
    );
  });

  it("is found in the region of its ARN", async () => {
    stubAws({ AWS_REGION: "us-east-1" });
    const byArn = await readPublicKey(`awskms:///${arns["ECC_NIST_P256"]}`);
    stubAws({ AWS_REGION: region });
    expect(byArn.key.equals((await readPublicKey("awskms:///alias/ECC_NIST_P256")).key)).toBe(true);
  });

  it("is found at the endpoint that the name has, by TLS", async () => {
    const authority = privateAuthority();
    const before = getCACertificates("default");
    const secure = await Moto.start(daemons, authority.issue("localhost"));
    setDefaultCACertificates([...before, authority.pem]);
    try {
      await secure.createKey(region, "team", "ECC_NIST_P256");
      const { publicKey } = await readSigningKey(`awskms://${new URL(secure.url).host}/alias/team`);
      expect(publicKey.key.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
    } finally {
      setDefaultCACertificates(before);
    }
  });

  it("signs what is pushed, and is what the configuration file requires", async () => {
    const path = join(temporaryFolder(), "config.yaml");
    const key = '"awskms:///alias/ECC_NIST_P256"';
    writeFileSync(path, `images: {${registry.host}: {require: {signature: {key: ${key}}}, sign: {key: ${key}}}}`);
    const place = { registry: registry.host, repository: "team/app" };
    const demand = () => requireSignature(place, image.digest, async () => open(), { SLIPWAY_CONFIG: path });
    await expect(demand()).rejects.toThrow(failureWith("signature-missing"));
    await signPushed(open(), place, [image], { SLIPWAY_CONFIG: path });
    await demand();
  });
});

describe("a key in AWS KMS that cannot be used", () => {
  it("is named when AWS fails while it signs", async () => {
    const own = new Daemons();
    const short = await Moto.start(own);
    await short.createKey(region, "team", "ECC_NIST_P256");
    stubAws(short.env(region));
    const key = await readSigningKey("awskms:///alias/team");
    await own.stop();
    const signing = signImage(open(), "team/app", image, key);
    await expect(signing).rejects.toThrow(userErrorWith("key-invalid", "awskms:///alias/team"));
  });

  it("is named when AWS denies it", async () => {
    const key = await moto.createPowerlessUser();
    await moto.enforcePolicies(true);
    try {
      stubAws(moto.env(region, key));
      await expect(readSigningKey("awskms:///alias/ECC_NIST_P256")).rejects.toThrow(/AWS denies it/);
    } finally {
      await moto.enforcePolicies(false);
    }
  });

  const nobody = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
  it.each<[string, string, RegExp, Record<string, string | undefined>?]>([
    ["does not exist", "alias/none", /does not exist in region eu-central-1\.\nCheck its name and AWS_REGION/],
    ["is for encryption", "alias/SYMMETRIC_DEFAULT", /has the usage ENCRYPT_DECRYPT\.\nUse a key that is enabled/],
    ["signs in a way that cosign refuses", "alias/ECC_NIST_P384", /ECC_NIST_P256 or RSA/],
    ["is in no region", "alias/x", /no AWS region is known\.\nSet AWS_REGION, or name/, { AWS_REGION: undefined }],
    ["needs a login", "alias/x", /no AWS credentials were found\.\nLog in/, nobody],
    ["is out of reach", "alias/x", /did not answer .*ECONNREFUSED/, { AWS_ENDPOINT_URL: "http://127.0.0.1:1" }],
  ])("is named when it %s", async (_, name, problem, env = {}) => {
    stubAws({ HOME: temporaryFolder(), ...env });
    const source = `awskms:///${name}`;
    for (const read of [() => readPublicKey(source), () => readSigningKey(source)]) {
      await expect(read()).rejects.toThrow(userErrorWith("key-invalid", source));
      await expect(read()).rejects.toThrow(problem);
    }
  });
});
