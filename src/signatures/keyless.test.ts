import { describe, expect, it } from "vitest";
import { failureWith } from "../core/testdata/reported.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { sha256 } from "../oci/digest.ts";
import { mediaTypes } from "../oci/media-types.ts";
import { open, registry, useRegistry } from "../registry/client/testdata/harness.ts";
import { signatureType } from "./bundle.ts";
import { bundlesOf, type ListedBundle } from "./fetch-bundles.ts";
import { identityJudge, type SigstoreServices, signKeyless } from "./keyless.ts";
import { attachBundle } from "./sign.ts";
import { identityToken, startSigstore } from "./testdata/sigstore.ts";
import { verifyImage } from "./verify.ts";

useRegistry();

const image: Descriptor = { mediaType: mediaTypes.manifest, digest: sha256("image"), size: 5 };
const workflow = "https://github.com/team/app/.github/workflows/ci.yml@refs/heads/main";
const issuer = "https://token.actions.githubusercontent.com";
const env = { SIGSTORE_ID_TOKEN: identityToken({ iss: issuer, sub: workflow }) };

const sign = (services: SigstoreServices) => signKeyless(open(), "team/app", image, env, services);
const verify = async (services: SigstoreServices, by = {}, digest = image.digest) =>
  verifyImage(open(), "team/app", digest, await identityJudge({ identity: workflow, issuer, ...by }, services));

describe("a signature without a key", () => {
  it("is valid for its identity and issuer", async () => {
    const services = await startSigstore();
    await expect(verify(services)).rejects.toThrow(failureWith("signature-missing", /team\/app@sha256:/));
    expect(await sign(services)).toBe("signed");
    expect(await verify(services)).toHaveLength(1);
  });

  it.each<[string, object, RegExp]>([
    ["identity", { identity: `${workflow}2` }, /is refused because certificate identity error/],
    ["issuer", { issuer: "https://example.com" }, /is refused because invalid certificate extension/],
  ])("is refused for another %s", async (_, by, reason) => {
    const services = await startSigstore();
    await sign(services);
    await expect(verify(services, by)).rejects.toThrow(failureWith("signature-invalid"));
    await expect(verify(services, by)).rejects.toThrow(reason);
  });

  it("is refused if another authority certified it", async () => {
    await sign(await startSigstore());
    await expect(verify(await startSigstore())).rejects.toThrow(failureWith("signature-invalid"));
  });

  it("is refused for another image, and after a change", async () => {
    const services = await startSigstore();
    await sign(services);
    const { value } = await bundlesOf(open(), "team/app", image.digest, signatureType).next();
    const { bytes } = await (value as ListedBundle).read();
    const other = { ...image, digest: sha256("other") };
    await attachBundle(open(), "team/app", other, bytes);
    await expect(verify(services, {}, other.digest)).rejects.toThrow(/because it signs sha256:/);
    const bundle = JSON.parse(bytes.toString());
    const { dsseEnvelope } = bundle;
    const statement = Buffer.from(dsseEnvelope.payload, "base64").toString();
    dsseEnvelope.payload = Buffer.from(statement.replace(sha256("image").slice(7), sha256("third").slice(7))).toString(
      "base64",
    );
    const third = { ...image, digest: sha256("third") };
    await attachBundle(open(), "team/app", third, Buffer.from(JSON.stringify(bundle)));
    await expect(verify(services, {}, third.digest)).rejects.toThrow(failureWith("signature-invalid"));
  });
});

describe("signing without a key", () => {
  it("says that a service failed, and attaches nothing", async () => {
    const services = { ...(await startSigstore()), rekorBaseURL: `${registry.url}/none` };
    await expect(sign(services)).rejects.toThrow(failureWith("sigstore-failed", /none/));
    expect(registry.log.filter((each) => each.startsWith("PUT "))).toEqual([]);
  });
});
