import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import type { Digest } from "../oci/digest.ts";
import { openRegistry } from "../registry/client/open.ts";
import { FakeRegistry } from "../registry/client/testdata/fake-registry.ts";
import { findAttestations } from "../signatures/attestations.ts";
import { bundleType, composeStatement } from "../signatures/bundle.ts";
import { readPublicKey } from "../signatures/keys.ts";
import { findSignatures } from "../signatures/verify.ts";
import { Destinations, destinationOf } from "./destination.ts";
import { BuiltImage } from "./image.ts";
import { type Shipment, ship } from "./push-images.ts";
import { Runfiles } from "./runfiles.ts";
import { Target } from "./testdata/target.ts";

let registry: FakeRegistry;
beforeEach(async () => {
  registry = await FakeRegistry.start();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await registry.stop();
});

/** A target whose images the configuration file has signed, and its push in this process, which can read that file. */
function signedTarget(check: "digest" | "tags", key = "my.key") {
  const target = new Target("push");
  target.request.defaultRegistry = registry.host;
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  writeFileSync(join(target.folder, "my.key"), privateKey.export({ format: "pem", type: "pkcs8" }));
  writeFileSync(join(target.folder, "my.pub"), publicKey.export({ format: "pem", type: "spki" }));
  const config = join(target.folder, "config.yaml");
  writeFileSync(config, `images: {${registry.host}: {sign: {key: ${key}}}}`);
  vi.stubEnv("SLIPWAY_CONFIG", config);
  vi.stubEnv("HOME", target.folder);
  const push = async () => {
    const { request, images } = target;
    const runfiles = new Runfiles(target.runfiles, request.target);
    const destinations = new Destinations(request, runfiles, process.env);
    const shipments = images.map((requested): Shipment => {
      const destination = destinationOf(requested, request, process.env);
      return { image: new BuiltImage(requested, runfiles), destination, repository: "team/app", tags: ["v1"] };
    });
    return ship(shipments, destinations, { check, report: { onEvent: () => {}, finish: () => {} } });
  };
  return { target, push };
}

it.each(["digest", "tags"] as const)(
  "a push signs what is new, and asks nothing more when nothing changed: %s",
  async (check) => {
    const { target, push } = signedTarget(check);
    for (const tag of ["amd64", "arm64"]) target.image({ tag, layers: [tag] });
    const index = target.index();
    expect(await push()).toEqual([`${registry.host}/team/app@${index}`]);
    const client = openRegistry(registry.host);
    const key = await readPublicKey(join(target.folder, "my.pub"));
    const images = [...registry.manifests.keys()].flatMap((name) => /^team\/app (sha256:\w+)$/.exec(name)?.[1] ?? []);
    const signed = [];
    for (const image of images) {
      const { verified } = await findSignatures(client, "team/app", image as Digest, key);
      if (verified.length > 0) signed.push(image);
    }
    client.close();
    expect(signed).toHaveLength(3);
    expect(signed).toContain(index);
    registry.seen.length = 0;
    await push();
    expect(registry.log).toHaveLength(1);
  },
);

it("a push with a key that cannot be read fails", async () => {
  const { target, push } = signedTarget("tags", "missing.key");
  target.image({ layers: ["x"] });
  await expect(push()).rejects.toThrow(userErrorWith("file-unreadable", /missing\.key$/));
});

describe("the documents of an image whose repository has a key", () => {
  const spdx = "application/spdx+json";
  const slsa = "https://slsa.dev/provenance/v1";

  async function setUp() {
    const { target, push } = signedTarget("tags");
    const client = openRegistry(registry.host);
    onTestFinished(() => client.close());
    const key = await readPublicKey(join(target.folder, "my.pub"));
    const document = target.file("_main/pkg/spdx.json", '{"spdxVersion":"SPDX-2.3","packages":[]}');
    const digest = target.image({ layers: ["x"] });
    const [image = expect.unreachable()] = target.images;
    let machines = 0;
    return {
      digest,
      /** @param commit of the source that the provenance names. Undefined: the build is not stamped */
      pushWith: (commit?: string) => {
        const source = { name: "source", uri: `git+https://example.com/app@${commit}` };
        const predicate = { buildDefinition: { resolvedDependencies: commit === undefined ? [] : [source] } };
        const provenance = target.file("_main/pkg/provenance.json", composeStatement(digest, slsa, predicate));
        const isUnstamped = commit === undefined;
        target.images[0] = {
          ...image,
          referrers: [
            { file: document, artifactType: spdx },
            { file: provenance, artifactType: "application/vnd.in-toto+json", isUnstamped },
          ],
        };
        return push();
      },
      /** As another machine, which has pushed nothing. */
      move: () => vi.stubEnv("XDG_STATE_HOME", join(target.folder, `state${machines++}`)),
      attestations: async (type: string) =>
        (await findAttestations(client, "team/app", digest, key, { type })).verified,
      types: async () => (await client.referrers("team/app", digest)).map(({ artifactType }) => artifactType),
    };
  }
  const writes = () => registry.log.filter((each) => !/^(HEAD|GET) /.test(each));

  it("are attached as attestations only, and the provenance without --stamp too", async () => {
    const { pushWith, attestations, types, move } = await setUp();
    await pushWith();
    expect(await types()).toEqual([bundleType, bundleType, bundleType]);
    for (const type of [slsa, "spdxjson"]) expect(await attestations(type)).toHaveLength(1);
    expect((await attestations("spdxjson"))[0]?.predicate.value).toMatchObject({ packages: [] });
    registry.seen.length = 0;
    await pushWith();
    expect(registry.log).toHaveLength(1);
    move();
    await pushWith();
    expect(writes()).toEqual([]);
  });

  it("are attached once more where a commit becomes known, and then not again", async () => {
    const { pushWith, attestations, move } = await setUp();
    await pushWith();
    await pushWith("1");
    expect(await attestations(slsa)).toHaveLength(2);
    move();
    await pushWith("2");
    await pushWith();
    expect(await attestations(slsa)).toHaveLength(2);
    expect(await attestations("spdxjson")).toHaveLength(1);
  });

  it("are attached beside unsigned ones, but not the other way round", async () => {
    const { pushWith, attestations, types, move } = await setUp();
    vi.stubEnv("SLIPWAY_CONFIG", "/dev/null");
    await pushWith();
    expect(await types()).toEqual([spdx]);
    vi.unstubAllEnvs();
    const again = await setUp();
    await again.pushWith();
    expect(await again.attestations("spdxjson")).toHaveLength(1);
    expect(await attestations("spdxjson")).toEqual([]);
    vi.stubEnv("SLIPWAY_CONFIG", "/dev/null");
    move();
    registry.seen.length = 0;
    await pushWith("1");
    expect(writes()).toEqual([]);
  });
});
