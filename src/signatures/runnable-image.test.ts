import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../core/testdata/folder.ts";
import { failureWith } from "../core/testdata/reported.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { sha256 } from "../oci/digest.ts";
import { mediaTypes } from "../oci/media-types.ts";
import { hintsIn } from "../registry/client/hints.ts";
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

  it("runs signed with the key, and is asked about once, with two requests", async () => {
    const env = configured();
    await sign("right");
    const hints = hintsIn({ XDG_STATE_HOME: folder });
    const requests = async (reference: string) => {
      const before = registry.log.length;
      expect(await runnableImage(reference, env, async () => open({ hints }))).toBe(reference);
      return registry.log.slice(before).map((each) => each.replace(/:[0-9a-f]{64}$|-[0-9a-f]{64}$/, ""));
    };
    const bundle = ["GET /v2/team/app/manifests/sha256", "GET /v2/team/app/manifests/sha256"];
    // The first one tries the API that this registry lacks.
    expect(await requests(name())).toEqual(["GET /v2/team/app/referrers/sha256", ...bundle]);
    expect(await runnableImage(name(), env, never)).toBe(name());
    const second = { ...image, digest: sha256("second") };
    await sign("right", second);
    expect(await requests(`${registry.host}/team/app@${second.digest}`)).toEqual(bundle);
  });

  it("runs if the registry lacked the API for referrers, and has it by now", async () => {
    const env = configured();
    const third = { ...image, digest: sha256("third") };
    await sign("right", third);
    const hints = hintsIn({ XDG_STATE_HOME: folder });
    hints.note("referrers", new URL(registry.url).origin, false);
    const tag = third.digest.replace(":", "-");
    const list = registry.manifests.get(`team/app ${tag}`)?.bytes ?? Buffer.alloc(0);
    registry.manifests.delete(`team/app ${tag}`);
    registry.intervene = ({ url = "" }, response) => {
      if (url.includes("/referrers/")) response.writeHead(200, { "content-type": mediaTypes.index }).end(list);
      return url.includes("/referrers/");
    };
    const reference = `${registry.host}/team/app@${third.digest}`;
    expect(await runnableImage(reference, env, async () => open({ hints }))).toBe(reference);
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
