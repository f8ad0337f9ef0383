import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { failureWith } from "../core/testdata/reported.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, sha256 } from "../oci/digest.ts";
import { canonicalJson } from "../oci/json.ts";
import { mediaTypes } from "../oci/media-types.ts";
import { open, registry, useRegistry } from "../registry/client/testdata/harness.ts";
import { StoredImages } from "../registry/client/testdata/stored-images.ts";
import { attachReferrer } from "../registry/referrers.ts";
import { bundleType, composeBundle, composeStatement } from "./bundle.ts";
import { type PublicKey, readPublicKey, readSigningKey } from "./keys.ts";
import { attachBundle, signImage } from "./sign.ts";
import { signedByCosign } from "./testdata/cosign.ts";
import { findSignatures, payloadType, verifyImage } from "./verify.ts";

useRegistry();

const cosignKey = await readPublicKey("env://KEY", { KEY: signedByCosign.publicKey });
const privatePem = () =>
  generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "pem", type: "pkcs8" }) as string;
const newKey = () => readSigningKey("env://KEY", { KEY: privatePem() });
const describeImage = (digest: Digest): Descriptor => ({ mediaType: mediaTypes.manifest, digest, size: 401 });
const verify = (image: Digest, key: PublicKey) => verifyImage(open(), "team/app", image, key);
const writes = () => registry.log.filter((each) => !/^(HEAD|GET) /.test(each));

/** Stores a signature as cosign did before version 3. */
function storePayload(payload: string, signature: string | undefined, image = signedByCosign.image): void {
  const stored = new StoredImages(registry, "team/app");
  const annotations = signature === undefined ? {} : { "dev.cosignproject.cosign/signature": signature };
  const layers = [{ mediaType: payloadType, ...stored.blob(Buffer.from(payload)), annotations }];
  stored.image({ manifest: { layers }, tag: `${image.replace(":", "-")}.sig` });
}

describe("a signature by cosign", () => {
  const { image, bundle, payload, signature } = signedByCosign;

  it("in a bundle is valid for its key and no other", async () => {
    await attachBundle(open(), "team/app", describeImage(image), Buffer.from(bundle));
    expect(await verify(image, cosignKey)).toEqual([expect.objectContaining({ mediaType: bundleType })]);
    const { publicKey } = await newKey();
    await expect(verify(image, publicKey)).rejects.toThrow(failureWith("signature-invalid", /team\/app@sha256:e7612/));
    await expect(verify(image, publicKey)).rejects.toThrow(/is valid for env:\/\/KEY: .* it is not by this key/);
  });

  it("under a tag is valid for its key and no other", async () => {
    storePayload(payload, signature);
    expect(await verify(image, cosignKey)).toEqual([{ digest: sha256(payload), mediaType: payloadType }]);
    await expect(verify(image, (await newKey()).publicKey)).rejects.toThrow(failureWith("signature-invalid"));
  });

  const changed = (change: (parts: { payload: string; payloadType: string; sig: string }) => object) => {
    const document = JSON.parse(bundle);
    const { payload: content, payloadType: type, signatures } = document.dsseEnvelope;
    const parts = { payload: content, payloadType: type, sig: signatures[0].sig };
    const { sig, ...envelope } = { ...parts, ...change(parts) };
    return JSON.stringify({ ...document, dsseEnvelope: { ...envelope, signatures: [{ sig }] } });
  };
  const recode = (content: string, change: (text: string) => string) =>
    Buffer.from(change(Buffer.from(content, "base64").toString())).toString("base64");

  it.each<[string, string, RegExp]>([
    [
      "another image in its statement",
      changed((parts) => ({ payload: recode(parts.payload, (text) => text.replace("e7612", "e7613")) })),
      /not by this key, or changed/,
    ],
    [
      "another byte in its signature",
      changed(({ sig }) => ({ sig: sig.replace("MEQC", "MEQD") })),
      /not by this key, or changed/,
    ],
    ["another type", changed(() => ({ payloadType: "text/plain" })), /its content has the type text\/plain/],
    ["no signature", changed(() => ({ sig: "" })), /not by this key, or changed/],
    ["no statement", changed(() => ({ payload: "" })), /not by this key, or changed/],
    ["no envelope", "{}", /dsseEnvelope is missing/],
    ["no JSON", "hello", /is not JSON/],
  ])("with %s is refused", async (_, content, reason) => {
    await attachBundle(open(), "team/app", describeImage(image), Buffer.from(content));
    await expect(verify(image, cosignKey)).rejects.toThrow(failureWith("signature-invalid"));
    await expect(verify(image, cosignKey)).rejects.toThrow(reason);
  });

  it.each<[string, string, string | undefined, RegExp]>([
    ["a changed payload", payload.replace("e7612", "e7613"), signature, /not by this key, or changed/],
    ["a changed signature", payload, signature.replace("MEQC", "MEQD"), /not by this key, or changed/],
    ["no signature", payload, undefined, /its signature is missing/],
  ])("under a tag with %s is refused", async (_, content, written, reason) => {
    storePayload(content, written);
    await expect(verify(image, cosignKey)).rejects.toThrow(reason);
  });

  it("does not sign another image that it is attached to", async () => {
    const other = sha256("other");
    await attachBundle(open(), "team/app", describeImage(other), Buffer.from(bundle));
    await expect(verify(other, cosignKey)).rejects.toThrow(/because it signs sha256:e7612/);
    storePayload(payload, signature, other);
    await expect(verify(other, cosignKey)).rejects.toThrow(/because it signs sha256:e7612.*, and 1 more/);
  });
});

describe("signImage", () => {
  const image = sha256("image");

  it("signs once, and again with another key", async () => {
    const [one, other] = [await newKey(), await newKey()];
    expect(await signImage(open(), "team/app", describeImage(image), one)).toBe("signed");
    registry.seen.length = 0;
    expect(await signImage(open(), "team/app", describeImage(image), one)).toBe("unchanged");
    expect(writes()).toEqual([]);
    expect(await signImage(open(), "team/app", describeImage(image), other)).toBe("signed");
    for (const { publicKey } of [one, other]) expect(await verify(image, publicKey)).toHaveLength(1);
  });

  it("is not fooled by a signed statement about something else, such as provenance", async () => {
    const key = await newKey();
    const statement = composeStatement(image, "https://slsa.dev/provenance/v1");
    await attachBundle(open(), "team/app", describeImage(image), await composeBundle(statement, key));
    await expect(verify(image, key.publicKey)).rejects.toThrow(failureWith("signature-missing"));
  });

  it("ignores other artifacts of the image", async () => {
    const artifact = { artifactType: bundleType, mediaType: "text/plain", content: Buffer.from("x") };
    await attachReferrer(open(), "team/app", describeImage(image), artifact);
    const { publicKey } = await newKey();
    expect(await findSignatures(open(), "team/app", image, publicKey)).toEqual({ verified: [], refused: [] });
    await expect(verify(image, publicKey)).rejects.toThrow(/has no signature by env:\/\/KEY\.\nSign it with/);
  });
});

describe("junk beside a signature", () => {
  const { image, bundle } = signedByCosign;
  const attach = (content: string | Uint8Array) =>
    attachBundle(open(), "team/app", describeImage(image), Buffer.from(content));

  it("does not hide it, however much there is", async () => {
    const client = open();
    const all = Array.from({ length: 650 }, (_, index) => `{"junk":${index}}`);
    // One list, since hundreds of writes of it take minutes.
    const manifests = [];
    for (const content of [...all, bundle]) {
      const stored = new StoredImages(registry, "team/app");
      const layers = [{ mediaType: bundleType, ...stored.blob(Buffer.from(content)) }];
      const digest = stored.image({ manifest: { layers, subject: describeImage(image), artifactType: bundleType } });
      const { bytes } = registry.manifests.get(`team/app ${digest}`) ?? expect.unreachable();
      manifests.push({ mediaType: mediaTypes.manifest, digest, size: bytes.length, artifactType: bundleType });
    }
    const list = canonicalJson({ schemaVersion: 2, mediaType: mediaTypes.index, manifests });
    registry.manifests.set(`team/app ${image.replace(":", "-")}`, {
      bytes: Buffer.from(list),
      mediaType: mediaTypes.index,
    });
    expect(await verifyImage(client, "team/app", image, cosignKey)).toHaveLength(1);
  });

  it.each<[string, string | Uint8Array]>([
    ["of nested lists", "[".repeat(100_000)],
    ["with fields of wrong types", '{"dsseEnvelope":{"payload":{},"signatures":7,"payloadType":[]}}'],
    ["with a statement of null", JSON.stringify({ dsseEnvelope: { payload: "bnVsbA==", signatures: null } })],
    ["with names of prototypes", '{"__proto__":{"dsseEnvelope":1},"dsseEnvelope":{"constructor":null}}'],
    ["that is no UTF-8", new Uint8Array([0xff, 0xfe, 0x00])],
    ["that is empty", ""],
  ])("%s is skipped, and named if there is no other", async (_, content) => {
    const { digest } = await attach(content);
    await expect(verify(image, cosignKey)).rejects.toThrow(failureWith("signature-invalid"));
    await expect(verify(image, cosignKey)).rejects.toThrow(new RegExp(digest));
    await attach(bundle);
    expect(await verify(image, cosignKey)).toHaveLength(1);
  });

  it("whose content is gone or changed is skipped", async () => {
    await attach("{}");
    registry.blobs.set(`team/app ${sha256("{}")}`, Buffer.from("[]"));
    await attach(`{"gone":1}`);
    registry.blobs.delete(`team/app ${sha256('{"gone":1}')}`);
    await attach(bundle);
    expect(await verify(image, cosignKey)).toHaveLength(1);
  });

  it("that says to be larger than any signature is not read", async () => {
    const stored = new StoredImages(registry, "team/app");
    const layers = [{ mediaType: bundleType, digest: sha256("large"), size: 1 << 30 }];
    stored.image({ manifest: { layers }, tag: `${image.replace(":", "-")}.sig` });
    await attach(bundle);
    registry.seen.length = 0;
    expect(await verify(image, cosignKey)).toHaveLength(1);
    expect(registry.log.join()).not.toContain(sha256("large"));
  });

  it.each([[undefined], [""], [mediaTypes.empty], [mediaTypes.config]])(
    "a bundle that a list of referrers gives the type %j is found",
    async (artifactType) => {
      await attach(bundle);
      const key = `team/app ${image.replace(":", "-")}`;
      const list = JSON.parse(String(registry.manifests.get(key)?.bytes));
      const manifests = list.manifests.map(({ digest, size, mediaType }: Descriptor) => ({
        mediaType,
        digest,
        size,
        artifactType,
      }));
      const bytes = Buffer.from(JSON.stringify({ ...list, manifests }));
      registry.manifests.set(key, { bytes, mediaType: mediaTypes.index });
      expect(await verify(image, cosignKey)).toHaveLength(1);
    },
  );
});

it("refuses a signature whose bytes changed in the registry", async () => {
  const { image, bundle: signed } = signedByCosign;
  // Too large for the manifest to have it too.
  const bundle = signed + " ".repeat(10_000);
  await attachBundle(open(), "team/app", describeImage(image), Buffer.from(bundle));
  registry.blobs.set(`team/app ${sha256(bundle)}`, Buffer.from(bundle.replace("MEQC", "MEQD")));
  await expect(verify(image, cosignKey)).rejects.toThrow(failureWith("registry-failed"));
});
