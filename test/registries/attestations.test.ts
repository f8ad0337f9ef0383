import { execFile } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../src/core/testdata/folder.ts";
import { failureWith } from "../../src/core/testdata/reported.ts";
import { sha256 } from "../../src/oci/digest.ts";
import { fetchManifest } from "../../src/registry/client/fetch-manifest.ts";
import { pushImages } from "../../src/registry/client/push.ts";
import { imageOf } from "../../src/registry/client/testdata/images.ts";
import { spdx } from "../../src/sbom/spdx.ts";
import { attest, predicateTypes, verifyAttestation } from "../../src/signatures/attestations.ts";
import { bundleType, composeStatement } from "../../src/signatures/bundle.ts";
import { readPublicKey, readSigningKey } from "../../src/signatures/keys.ts";
import { signImage } from "../../src/signatures/sign.ts";
import { verifyImage } from "../../src/signatures/verify.ts";
import { registries } from "./testdata/registries.ts";

const run = promisify(execFile);
const repository = "team/app";

/** No transparency log: its services are not reachable from everywhere. */
const signingConfig = {
  mediaType: "application/vnd.dev.sigstore.signingconfig.v0.2+json",
  rekorTlogConfig: {},
  tsaConfig: {},
};
/** cosign 2 wants one beside a key, and looks nothing up in it. */
const trustedRoot = { mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1" };

const spdxDocument = JSON.parse(
  spdx.format({
    name: "//:app",
    digest: sha256("image"),
    layers: [{ digest: sha256("layer"), packages: [{ type: "npm", name: "left-pad", version: "1.3.0" }] }],
  }),
);
const provenance = {
  buildDefinition: {
    buildType: "pkg:npm/bazel-slipway#image/v1",
    externalParameters: { target: "//:app" },
    resolvedDependencies: [{ name: "source", uri: "git+https://example.com/app@1", digest: { gitCommit: "1" } }],
  },
  runDetails: { builder: { id: "https://ci.example.com", version: { slipway: "1" } } },
};
const documents = { spdxjson: spdxDocument, slsaprovenance1: provenance };

describe.each(Object.keys(registries))("attestations in %s", (name) => {
  async function setUp() {
    const { client, host, env } = await (registries[name] as (typeof registries)[string])();
    await pushImages([imageOf(client, { repository, tags: ["v1"], layers: ["layer"] })], { check: "tags" });
    const { descriptor } = await fetchManifest(client, repository, "v1");
    const cwd = temporaryFolder();
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const other = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey;
    const pem = privateKey.export({ format: "pem", type: "pkcs8" }) as string;
    writeFileSync(join(cwd, "my.pub"), publicKey.export({ format: "pem", type: "spki" }));
    writeFileSync(join(cwd, "other.pub"), other.export({ format: "pem", type: "spki" }));
    writeFileSync(join(cwd, "my.pem"), pem);
    writeFileSync(join(cwd, "offline.json"), JSON.stringify(signingConfig));
    writeFileSync(join(cwd, "root.json"), JSON.stringify(trustedRoot));
    for (const [type, document] of Object.entries(documents)) writeFileSync(join(cwd, type), JSON.stringify(document));
    const inFolder = (tool: string, ...args: string[]) =>
      run(tool, args, { cwd, env: { ...env, COSIGN_PASSWORD: "" } });
    const reference = `${host}/${repository}@${descriptor.digest}`;
    const key = await readSigningKey("env://KEY", { KEY: pem });
    const verify = async (type: string, more = {}) =>
      verifyAttestation(client, repository, descriptor.digest, await readPublicKey(join(cwd, "my.pub")), {
        type,
        ...more,
      });
    return { client, cwd, descriptor, host, env, inFolder, key, reference, verify };
  }
  type SetUp = Awaited<ReturnType<typeof setUp>>;

  async function attestAll({ client, descriptor, key }: SetUp) {
    for (const [type, document] of Object.entries(documents)) {
      const predicateType = predicateTypes[type] as string;
      const statement = composeStatement(descriptor.digest, predicateType, document);
      await attest(client, repository, descriptor, statement, key, { isNew: false, predicateType });
    }
    await signImage(client, repository, descriptor, key);
  }

  it.each([
    ["cosign", []],
    ["cosign2", ["--trusted-root=root.json"]],
  ])("by Slipway are verified by %s, with the right key only, and read by a scanner", async (cosign, options) => {
    const parts = await setUp();
    const { cwd, descriptor, inFolder, reference } = parts;
    await attestAll(parts);
    const verify = (key: string, ...more: string[]) => [
      `--key=${key}`,
      "--insecure-ignore-tlog=true",
      ...options,
      ...more,
      reference,
    ];
    const { stdout } = await inFolder(cosign, "verify", ...verify("my.pub"));
    expect(JSON.stringify(JSON.parse(stdout))).toContain(descriptor.digest);
    for (const type of Object.keys(documents)) {
      const { stdout: out } = await inFolder(cosign, "verify-attestation", ...verify("my.pub", `--type=${type}`));
      const { payload } = JSON.parse(out.trim().split("\n")[0] as string);
      const statement = JSON.parse(Buffer.from(payload, "base64").toString());
      expect(statement).toMatchObject({
        predicateType: predicateTypes[type],
        predicate: documents[type as "spdxjson"],
      });
      if (type !== "spdxjson") continue;
      writeFileSync(join(cwd, "sbom.intoto.jsonl"), out);
      const args = ["sbom", "--format=cyclonedx", `--cache-dir=${cwd}`, "--skip-version-check", "sbom.intoto.jsonl"];
      const scanned = JSON.parse((await inFolder("trivy", ...args)).stdout);
      const purls = scanned.components.map(({ purl }: { purl?: string }) => purl);
      expect(purls).toContain("pkg:npm/left-pad@1.3.0");
    }
    const wrongType = inFolder(cosign, "verify-attestation", ...verify("my.pub", "--type=cyclonedx"));
    await expect(wrongType).rejects.toThrow(/none of the attestations matched/);
    await expect(inFolder(cosign, "verify-attestation", ...verify("other.pub", "--type=spdxjson"))).rejects.toThrow();
  });

  it("by Slipway are listed by oras", async () => {
    const parts = await setUp();
    await attestAll(parts);
    const { stdout } = await parts.inFolder("oras", "discover", "--plain-http", "--format=json", parts.reference);
    const { referrers } = JSON.parse(stdout) as { referrers: { artifactType: string; annotations: object }[] };
    expect(referrers.map(({ artifactType }) => artifactType)).toEqual([bundleType, bundleType, bundleType]);
    const types = referrers.map(({ annotations }) => Object.values(annotations).find((each) => /^https:/.test(each)));
    expect(types.sort()).toEqual(
      ["https://sigstore.dev/cosign/sign/v1", ...Object.keys(documents).map((type) => predicateTypes[type])].sort(),
    );
  });

  it.each<[string, string, string[]]>([
    ["cosign 3", "cosign", ["--signing-config=offline.json"]],
    ["cosign 2 in a bundle", "cosign2", ["--new-bundle-format", "--tlog-upload=false"]],
    ["cosign 2 under a tag", "cosign2", ["--tlog-upload=false"]],
  ])("and signatures by %s are verified by Slipway", async (_, cosign, options) => {
    const { client, cwd, descriptor, inFolder, reference, verify } = await setUp();
    await inFolder(cosign, "import-key-pair", "--key=my.pem", "--output-key-prefix=imported");
    await expect(verify("slsaprovenance1")).rejects.toThrow(failureWith("signature-missing"));
    const common = ["--yes", "--key=imported.key", ...options];
    for (const type of Object.keys(documents))
      await inFolder(cosign, "attest", ...common, `--type=${type}`, `--predicate=${type}`, reference);
    expect((await verify("spdxjson"))[0]?.predicate.value).toEqual(spdxDocument);
    expect(
      await verify("slsaprovenance1", { builder: "https://ci.example.com", source: "https://example.com/app" }),
    ).toHaveLength(1);
    await expect(verify("slsaprovenance1", { builder: "x" })).rejects.toThrow(failureWith("signature-invalid"));
    await inFolder(cosign, "sign", ...common, reference);
    const key = await readPublicKey(join(cwd, "my.pub"));
    expect(await verifyImage(client, repository, descriptor.digest, key)).toHaveLength(1);
    await expect(verifyImage(client, repository, sha256("other"), key)).rejects.toThrow(
      failureWith("signature-missing"),
    );
  });
});
