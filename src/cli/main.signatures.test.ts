import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ErrorCode } from "../core/error-codes.ts";
import { printable } from "../core/printable.ts";
import { printed } from "../core/testdata/reported.ts";
import { type Digest, sha256 } from "../oci/digest.ts";
import { mediaTypes } from "../oci/media-types.ts";
import { openRegistry } from "../registry/client/open.ts";
import { FakeRegistry } from "../registry/client/testdata/fake-registry.ts";
import { StoredImages } from "../registry/client/testdata/stored-images.ts";
import { attachReferrer } from "../registry/referrers.ts";
import { stateOfTest } from "../registry-server/testdata/fixture.ts";
import { attest as signAttestation } from "../signatures/attestations.ts";
import { composeStatement } from "../signatures/bundle.ts";
import { readSigningKey } from "../signatures/keys.ts";
import { type Outcome, run } from "./testdata/slipway.ts";

let registry: FakeRegistry;
let env: Record<string, string>;
let folder: string;
beforeEach(async () => {
  registry = await FakeRegistry.start();
  env = (await stateOfTest()).env;
  folder = env["HOME"] as string;
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const secret = { cipher: "aes-256-cbc", passphrase: "geheim" };
  writeFileSync(join(folder, "my.key"), privateKey.export({ format: "pem", type: "pkcs8", ...secret }));
  writeFileSync(join(folder, "my.pub"), publicKey.export({ format: "pem", type: "spki" }));
});
afterEach(() => registry.stop());

/** Runs the command line. HOST in an argument is the registry's address, and the other way round in what is printed. */
async function slipway(...args: string[]): Promise<Outcome> {
  const words = args.map((arg) => arg.replaceAll("HOST", registry.host));
  const { out, error, status } = await run(words, { env: { ...env, SLIPWAY_KEY_PASSWORD: "geheim" }, cwd: folder });
  const shown = (said: string) => said.replaceAll(registry.host, "HOST");
  return { out: shown(out), error: shown(error), status };
}

const stored = () => new StoredImages(registry, "team/app");

describe("slipway image sign and verify", () => {
  it("sign an index and its images once, and verify them", async () => {
    const image = stored().image({});
    const index = stored().index({ "linux/amd64": image }, { tag: "v1" });
    const verify = (name: string) => slipway("image", "verify", name, "--key=my.pub");
    expect(await verify("HOST/team/app:v1")).toEqual({
      out: "",
      error: printed("signature-missing", `HOST/team/app@${index}`),
      status: 1,
    });
    const sign = () => slipway("image", "sign", "HOST/team/app:v1", "--key=my.key");
    expect(await sign()).toEqual({ out: `HOST/team/app@${index}\n`, error: "", status: 0 });
    expect((await sign()).error).toContain("has a signature by this key already");
    for (const digest of [index, image]) {
      const name = `HOST/team/app@${digest}`;
      expect(await verify(name)).toEqual({ out: `${name}\n`, error: "", status: 0 });
    }
    const { out } = await slipway("image", "verify", "HOST/team/app:v1", "--key=my.pub", "--json");
    expect(JSON.parse(out)).toMatchObject({ reference: `HOST/team/app@${index}`, signatures: [{}] });
  });

  it.each<[string[], ErrorCode, string]>([
    [["sign", "HOST/team/app:v1"], "command-line-invalid", "--keyless"],
    [["sign", "HOST/team/app:v1", "--key=none"], "file-unreadable", "none"],
    [["sign", "HOST/team/app:v2", "--key=my.key"], "image-not-found", "HOST"],
    [["sign", "HOST/team/app:v1", "--keyless"], "sigstore-failed", "SIGSTORE_ID_TOKEN"],
    [["verify", "HOST/team/app:v1"], "command-line-invalid", "--issuer"],
    [["verify", "HOST/team/app:v1", "--key=my.key"], "key-invalid", "my.key"],
    [["verify", "HOST/team/app:v1", "--identity=me"], "command-line-invalid", "--issuer"],
  ])("refuse %j", async (args, code, culprit) => {
    stored().image({ tag: "v1" });
    expect(await slipway("image", ...args)).toEqual({ out: "", error: printed(code, culprit), status: 2 });
  });
});

describe("slipway image sbom and referrers", () => {
  const spdx = "application/spdx+json";
  async function attach(digest: Digest, artifactType: string, content: string) {
    const client = openRegistry(registry.host);
    const subject = { mediaType: mediaTypes.manifest, digest, size: 1 };
    const artifact = { artifactType, mediaType: artifactType, content: Buffer.from(content) };
    const attached = await attachReferrer(client, "team/app", subject, artifact);
    client.close();
    return attached;
  }

  async function attest(digest: Digest, document: string, about = digest) {
    const client = openRegistry(registry.host);
    const key = await readSigningKey(join(folder, "my.key"), { SLIPWAY_KEY_PASSWORD: "geheim" });
    const predicateType = "https://spdx.dev/Document";
    const statement = composeStatement(about, predicateType, JSON.parse(document));
    const subject = { mediaType: mediaTypes.manifest, digest, size: 1 };
    await signAttestation(client, "team/app", subject, statement, key, { isNew: false, predicateType });
    client.close();
  }

  it("print an SBOM of a stranger as it is, but escaped on a terminal", async () => {
    const hostile = '{"name":"\u001b]0;title\u0007\u202e\u009b2J"}';
    await attach(stored().image({ tag: "v1" }), spdx, hostile);
    expect((await slipway("image", "sbom", "HOST/team/app:v1")).out).toBe(hostile);
    env["NODE_OPTIONS"] = "--import=data:text/javascript,process.stdout.isTTY=true";
    const shown = (await slipway("image", "sbom", "HOST/team/app:v1")).out;
    expect(shown).toBe(printable(hostile));
    expect(shown).toContain("\\u001b]0;title\\u0007\\u202e\\u009b2J");
  });

  it("print nothing of an SBOM whose content was changed", async () => {
    // Too large for the manifest to have it too.
    const document = `{"packages":[1]}${" ".repeat(10_000)}`;
    await attach(stored().image({ tag: "v1" }), spdx, document);
    const [key = ""] = [...registry.blobs].find(([, content]) => content.includes("packages")) ?? [];
    registry.blobs.set(key, Buffer.from(document.replace("1", "2")));
    const digest = key.split(" ")[1] ?? "";
    expect(await slipway("image", "sbom", "HOST/team/app:v1")).toEqual({
      out: "",
      error: printed("registry-failed", digest),
      status: 1,
    });
  });

  it("print the one that is signed with the user's key, and choose none of strangers", async () => {
    const image = stored().image({ tag: "v1" });
    const sbom = (...more: string[]) => slipway("image", "sbom", "HOST/team/app:v1", ...more);
    const attached = [];
    for (const number of Array(12).keys()) attached.push(await attach(image, spdx, `{"false":${number}}`));
    const [first = expect.unreachable()] = attached;
    expect(await sbom()).toEqual({ out: "", error: printed("sbom-ambiguous", `HOST/team/app@${image}`), status: 2 });
    expect((await sbom()).error).toMatch(/has 12 SBOMs .*, and 2 more/);
    expect(await sbom(`--digest=${first.digest}`)).toMatchObject({
      out: '{"false":0}',
      error: expect.stringContaining("is unsigned"),
    });
    expect(await sbom("--key=my.pub")).toMatchObject({
      out: "",
      error: printed("signature-missing", "HOST"),
      status: 1,
    });
    await attest(image, '{"packages": [1]}');
    for (const number of [12, 13]) await attach(image, spdx, `{"false":${number}}`);
    expect(await sbom("--key=my.pub")).toEqual({ out: '{"packages":[1]}\n', error: "", status: 0 });
  });

  it("name an attestation whose key the user has not named", async () => {
    const image = stored().image({ tag: "v1" });
    await attest(image, '{"packages":[1]}');
    expect(await slipway("image", "sbom", "HOST/team/app:v1")).toEqual({
      out: '{"packages":[1]}\n',
      error: expect.stringContaining("is not verified"),
      status: 0,
    });
  });

  it("print no attestation about another image", async () => {
    await attest(stored().image({ tag: "v1" }), "{}", sha256("other"));
    expect(await slipway("image", "sbom", "HOST/team/app:v1")).toEqual({
      out: "",
      error: printed("signature-invalid", "HOST/team/app@"),
      status: 2,
    });
  });

  it("verify attestations by type and key", async () => {
    const image = stored().image({ tag: "v1" });
    const verify = (...more: string[]) => slipway("image", "verify", "HOST/team/app:v1", "--key=my.pub", ...more);
    expect(await verify("--type=spdxjson")).toMatchObject({ error: printed("signature-missing", "HOST"), status: 1 });
    await attest(image, "{}");
    const reference = `HOST/team/app@${image}`;
    expect(await verify("--type=spdxjson")).toEqual({ out: `${reference}\n`, error: "", status: 0 });
    expect(JSON.parse((await verify("--type=spdxjson", "--json")).out)).toMatchObject({
      reference,
      attestations: [{}],
    });
    expect(await verify("--type=spdxjson", "--builder=me")).toMatchObject({ status: 1 });
    expect(await verify("--type=sbom")).toMatchObject({ error: printed("command-line-invalid", "sbom"), status: 2 });
    expect(await verify("--source=me")).toMatchObject({ error: printed("command-line-invalid", "--type"), status: 2 });
  });

  it("print what is attached to the image of a platform, or to the index", async () => {
    const image = stored().image({});
    const index = stored().index(
      { "linux/amd64": image, "linux/arm64": stored().image({ layers: ["arm"] }) },
      { tag: "v1" },
    );
    const sbom = (...more: string[]) => slipway("image", "sbom", "HOST/team/app:v1", ...more);
    expect(await sbom("--platform=linux/amd64")).toEqual({
      out: "",
      error: printed("sbom-not-found", "HOST/team/app:v1"),
      status: 2,
    });
    const whole = await attach(index, spdx, '{"of":"index"}');
    const own = await attach(image, spdx, '{"of":"amd64"}\n');
    const other = await attach(image, "application/vnd.cyclonedx+json", "{}");
    const signature = await attach(own.digest, "text/signature", "me");
    expect(await sbom("--platform=linux/amd64")).toEqual({
      out: '{"of":"amd64"}\n',
      error: expect.stringContaining(`SBOM ${own.digest} is unsigned`),
      status: 0,
    });
    expect(await sbom("--platform=linux/arm64")).toMatchObject({ out: '{"of":"index"}' });
    expect(await sbom("--platform=linux/amd64", "--format=cyclonedx")).toMatchObject({ out: "{}" });
    const { out } = await slipway("image", "referrers", "HOST/team/app:v1");
    expect(out.split("\n").slice(0, 6)).toEqual([
      `HOST/team/app@${index}`,
      `├─ ${spdx} ${whole.digest}`,
      `├─ linux/amd64 ${image}`,
      `│  ├─ ${spdx} ${own.digest}`,
      `│  │  └─ text/signature ${signature.digest}`,
      `│  └─ application/vnd.cyclonedx+json ${other.digest}`,
    ]);
    const json = JSON.parse((await slipway("image", "referrers", "HOST/team/app:v1", "--json")).out);
    expect(json).toMatchObject({
      digest: index,
      referrers: [{ digest: whole.digest, artifactType: spdx, size: whole.size, referrers: [] }],
      images: [{ platform: "linux/amd64", referrers: [{ digest: own.digest }, {}] }, { referrers: [] }],
    });
  });
});
