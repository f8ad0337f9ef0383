import { describe, expect, it } from "vitest";
import type { Artifact } from "../oci/artifact.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { sha256 } from "../oci/digest.ts";
import { mediaTypes } from "../oci/media-types.ts";
import { manifestOf, pushImage, serverOfTest } from "../registry-server/testdata/fixture.ts";
import { openRegistry } from "./client/open.ts";
import { changeReferrersList } from "./client/referrers-list.ts";
import { answer, open, registry, times, useRegistry } from "./client/testdata/harness.ts";
import { attachReferrer } from "./referrers.ts";

useRegistry();

const artifactType = "application/spdx+json";
const subject: Descriptor = { mediaType: mediaTypes.manifest, digest: sha256("image"), size: 5 };
const document = (content: string): Artifact => ({
  artifactType,
  mediaType: artifactType,
  content: Buffer.from(content),
  annotations: { about: content },
});
const tag = `a ${subject.digest.replace(":", "-")}`;
const writes = () => registry.log.filter((each) => !/^(HEAD|GET) /.test(each));

describe("attachReferrer without the referrers API", () => {
  it("lists the artifact under the tag, and does not push it again", async () => {
    const attached = await attachReferrer(open(), "a", subject, document("one"));
    expect(attached).toMatchObject({ mediaType: mediaTypes.manifest, artifactType, annotations: { about: "one" } });
    expect(await open().referrers("a", subject.digest)).toEqual([attached]);
    const second = await attachReferrer(open(), "a", subject, document("two"));
    expect(await open().referrers("a", subject.digest)).toEqual([attached, second]);
    registry.seen.length = 0;
    expect(await attachReferrer(open(), "a", subject, document("one"))).toEqual(attached);
    expect(writes()).toEqual([]);
    expect(registry.log).toHaveLength(3);
  });

  it("lists an artifact that a killed client has stored, but not listed", async () => {
    const attached = await attachReferrer(open(), "a", subject, document("one"));
    registry.manifests.delete(tag);
    await attachReferrer(open(), "a", subject, document("one"));
    expect(await open().referrers("a", subject.digest)).toEqual([attached]);
  });

  it("removes the list that it replaces", async () => {
    await attachReferrer(open(), "a", subject, document("one"));
    const replaced = sha256(registry.manifests.get(tag)?.bytes as Buffer);
    await attachReferrer(open(), "a", subject, document("two"));
    expect(registry.manifests.has(`a ${replaced}`)).toBe(false);
  });

  it("keeps all entries of writers in one process", async () => {
    const client = open();
    const names = Array.from({ length: 8 }, (_, index) => `document ${index}`);
    await Promise.all(names.map((name) => attachReferrer(client, "a", subject, document(name))));
    const listed = await client.referrers("a", subject.digest);
    expect(listed.map(({ annotations }) => annotations?.["about"]).sort()).toEqual(names);
    // Each wrote the list once, after the one before.
    expect(writes().filter((each) => each.startsWith("PUT /v2/a/manifests/sha256-"))).toHaveLength(8);
  });

  it("keeps all entries of writers on several machines that keep time", async () => {
    const names = Array.from({ length: 4 }, (_, index) => `document ${index}`);
    await Promise.all(names.map((name) => attachReferrer(open(), "a", subject, document(name))));
    const listed = await open().referrers("a", subject.digest);
    expect(listed.map(({ annotations }) => annotations?.["about"]).sort()).toEqual(names);
  });

  it("writes the list again after another machine replaced it", async () => {
    const other = await attachReferrer(open(), "b", subject, document("other"));
    const replace = times(1, /^PUT \/v2\/a\/manifests\/sha256-/, (request, response) => {
      const manifests = [other];
      const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }));
      registry.manifests.set(tag, { bytes, mediaType: mediaTypes.index });
      return answer(201)(request, response, { method: "", path: "", authorization: undefined, bytes: 0 });
    });
    registry.checksBlobs = false;
    registry.intervene = replace;
    const attached = await attachReferrer(open(), "a", subject, document("one"));
    expect(await open().referrers("a", subject.digest)).toEqual([other, attached]);
  });

  it("removes the tag with the last entry", async () => {
    const { digest } = await attachReferrer(open(), "a", subject, document("one"));
    await changeReferrersList(open(), "a", subject.digest, { remove: [digest] });
    expect(await open().referrers("a", subject.digest)).toEqual([]);
  });
});

describe("attachReferrer with the referrers API", () => {
  it("attaches to an image of the embedded registry with no tag, and not again", async () => {
    const { ask, paths } = await serverOfTest();
    await pushImage(ask, "a", "v1", ["layer"]);
    const image = manifestOf(["layer"]);
    const client = openRegistry("localhost:1", { embedded: { socketPath: paths.socket } });
    const place = { mediaType: mediaTypes.manifest, digest: sha256(image), size: image.length };
    const attached = await attachReferrer(client, "a", place, document("one"));
    expect(await attachReferrer(client, "a", place, document("one"))).toEqual(attached);
    expect(await client.referrers("a", place.digest)).toEqual([attached]);
    expect(await client.listTags("a")).toEqual(["v1"]);
    client.close();
  });
});
