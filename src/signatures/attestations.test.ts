import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { failureWith, userErrorWith } from "../core/testdata/reported.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { sha256 } from "../oci/digest.ts";
import { mediaTypes } from "../oci/media-types.ts";
import { open, registry, useRegistry } from "../registry/client/testdata/harness.ts";
import { StoredImages } from "../registry/client/testdata/stored-images.ts";
import { attest, type Expected, findAttestations, predicateTypes, verifyAttestation } from "./attestations.ts";
import { composeBundle, composeStatement } from "./bundle.ts";
import { identityJudge } from "./keyless.ts";
import { readSigningKey } from "./keys.ts";
import { attachBundle, signImage } from "./sign.ts";
import { startSigstore } from "./testdata/sigstore.ts";
import { verifyImage } from "./verify.ts";

useRegistry();

const image: Descriptor = { mediaType: mediaTypes.manifest, digest: sha256("image"), size: 5 };
const slsa = predicateTypes["slsaprovenance1"] as string;
const newKey = (name = "KEY") => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return readSigningKey(`env://${name}`, { [name]: privateKey.export({ format: "pem", type: "pkcs8" }) as string });
};
const key = await newKey();

const provenance = (source: object | undefined, builder = "https://ci.example.com") => ({
  buildDefinition: { resolvedDependencies: [{ name: "base", digest: {} }, ...(source ? [source] : [])] },
  runDetails: { builder: { id: builder } },
});
const attach = (predicate: unknown, { by = key, type = slsa, subject = image.digest } = {}) =>
  attest(open(), "team/app", image, composeStatement(subject, type, predicate), by, {
    isNew: false,
    predicateType: type,
  });
const verify = (expected: Partial<Expected> = {}, by = key) =>
  verifyAttestation(open(), "team/app", image.digest, by.publicKey, { type: "slsaprovenance1", ...expected });

describe("an attestation", () => {
  it("is verified by its key, type and image", async () => {
    await expect(verify()).rejects.toThrow(failureWith("signature-missing", /team\/app@sha256:/));
    await attach({ of: "image" });
    expect((await verify())[0]).toMatchObject({ predicateType: slsa, predicate: { value: { of: "image" } } });
    expect(await verify({ type: slsa })).toHaveLength(1);
    await expect(verify({ type: "spdxjson" })).rejects.toThrow(failureWith("signature-missing"));
    await expect(verify({}, await newKey())).rejects.toThrow(failureWith("signature-invalid"));
    await expect(verify({ type: "provenance" })).rejects.toThrow(userErrorWith("command-line-invalid", "provenance"));
  });

  it("is no signature of the image, and a signature is no attestation", async () => {
    await attach({});
    await expect(verifyImage(open(), "team/app", image.digest, key.publicKey)).rejects.toThrow(
      failureWith("signature-missing"),
    );
    await signImage(open(), "team/app", image, key);
    expect(await verify()).toHaveLength(1);
  });

  it("about another image is refused, wherever it is attached", async () => {
    await attach({}, { subject: sha256("other") });
    await expect(verify()).rejects.toThrow(/it signs sha256:/);
  });

  it("whose manifest says another type is not taken for that type", async () => {
    const bundle = await composeBundle(composeStatement(image.digest, predicateTypes["spdxjson"], {}), key);
    await attachBundle(open(), "team/app", image, bundle, { predicateType: slsa });
    await expect(verify()).rejects.toThrow(failureWith("signature-missing"));
  });

  it("that a stranger made does not hide the right one, nor stand for it", async () => {
    const stranger = await newKey("STRANGER");
    await attach(provenance({ name: "source", uri: "git+https://example.com/theirs@1" }), { by: stranger });
    await attach(provenance({ name: "source", uri: "git+https://example.com/ours@1" }));
    expect(await verify({ source: "https://example.com/ours" })).toHaveLength(1);
    await expect(verify({ source: "https://example.com/theirs" })).rejects.toThrow(failureWith("signature-invalid"));
  });

  it("too large to be read is not written", async () => {
    await expect(attach({ text: "x".repeat(25 * 1024 * 1024) })).rejects.toThrow(userErrorWith("image-unsuitable"));
    expect(registry.log.filter((each) => each.startsWith("PUT "))).toEqual([]);
  });

  it.each<[string, unknown]>([
    ["a text", "x"],
    ["null", null],
    ["lists", { runDetails: [], buildDefinition: [] }],
    ["wrong types", { buildDefinition: { resolvedDependencies: [{ uri: 1 }] }, runDetails: { builder: { id: 7 } } }],
  ])("with a predicate of %s is refused for a builder and a source", async (_, predicate) => {
    await attach(predicate);
    await expect(verify({ builder: "x" })).rejects.toThrow(failureWith("signature-invalid"));
    await expect(verify({ source: "x" })).rejects.toThrow(failureWith("signature-invalid"));
  });
});

describe("provenance", () => {
  const source = (uri: string, more = {}) => provenance({ name: "source", uri, ...more });

  it.each<[string, unknown, Partial<Expected>]>([
    ["its builder", provenance(undefined), { builder: "https://ci.example.com" }],
    ["its source", source("git+https://example.com/team/app@1f"), { source: "https://example.com/team/app" }],
    ["either form of it", source("git+https://example.com/app.git@1f"), { source: "git+https://example.com/app/" }],
    ["an address of ssh", source("git+git@example.com:team/app.git@1f"), { source: "git@example.com:team/app.git" }],
    [
      "the only one",
      provenance({ uri: "git+https://example.com/app@refs/heads/main" }),
      { source: "https://example.com/app" },
    ],
    [
      "the workflow's of GitHub",
      { buildDefinition: { externalParameters: { workflow: { repository: "https://example.com/app" } } } },
      { source: "https://example.com/app" },
    ],
  ])("is verified for %s", async (_, predicate, expected) => {
    await attach(predicate);
    expect(await verify(expected)).toHaveLength(1);
  });

  it.each<[string, unknown, Partial<Expected>, RegExp]>([
    ["another builder", provenance(undefined), { builder: "https://ci.example.com/" }, /its builder is https:/],
    ["no source", provenance(undefined), { source: "https://example.com" }, /names no source repository/],
    [
      "another source",
      source("git+https://example.com/app2@1"),
      { source: "https://example.com/app" },
      /is https:\/\/example.com\/app2/,
    ],
    [
      "a tree with changes",
      source("git+https://example.com/app@1", { annotations: { clean: false } }),
      { source: "https://example.com/app" },
      /had changes/,
    ],
  ])("is refused for %s", async (_, predicate, expected, reason) => {
    await attach(predicate);
    await expect(verify(expected)).rejects.toThrow(failureWith("signature-invalid"));
    await expect(verify(expected)).rejects.toThrow(reason);
  });
});

it("cosign 2 keeps attestations under a tag, which are verified too", async () => {
  const bundle = JSON.parse(Buffer.from(await composeBundle(composeStatement(image.digest, slsa, {}), key)).toString());
  const stored = new StoredImages(registry, "team/app");
  const blob = stored.blob(Buffer.from(JSON.stringify(bundle.dsseEnvelope)));
  const layers = [{ mediaType: "application/vnd.dsse.envelope.v1+json", ...blob }];
  stored.image({ manifest: { layers }, tag: `${image.digest.replace(":", "-")}.att` });
  expect(await verify()).toHaveLength(1);
  await expect(verify({}, await newKey())).rejects.toThrow(failureWith("signature-invalid"));
});

it("an identity decides about attestations too", async () => {
  const judge = await identityJudge({ identity: "me", issuer: "https://example.com" }, await startSigstore());
  await attach({});
  const expected = { type: "slsaprovenance1" };
  const { verified, refused } = await findAttestations(open(), "team/app", image.digest, judge, expected);
  expect({ verified, refused: refused.length }).toEqual({ verified: [], refused: 1 });
});
