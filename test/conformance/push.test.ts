import { describe, expect, it } from "vitest";
import { sha256 } from "../../src/oci/digest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { manifestOf, pushBlob, putManifest, serverOfTest } from "../../src/registry-server/testdata/fixture.ts";

const repository = "team/app";
const uploads = `/v2/${repository}/blobs/uploads/`;
const content = "the content of a layer";
const digest = sha256(content);
const blob = `/v2/${repository}/blobs/${digest}`;

// OCI distribution specification, "Push"; what each case is about has the name that the specification gives it.
describe("pushing blobs", () => {
  it("monolithically, POST then PUT", async () => {
    const { ask } = await serverOfTest();
    const start = await ask("POST", uploads);
    expect(start.status).toBe(202);
    expect(start.headers["docker-upload-uuid"]).toBeTruthy();
    const end = await ask("PUT", `${start.headers.location}?digest=${encodeURIComponent(digest)}`, {
      body: content,
      headers: { "content-type": "application/octet-stream" },
    });
    expect([end.status, end.headers.location, end.headers["docker-content-digest"]]).toEqual([201, blob, digest]);
    expect((await ask("GET", end.headers.location as string)).text).toBe(content);
  });

  it("in a single POST", async () => {
    const { ask } = await serverOfTest();
    const { status, headers } = await ask("POST", `${uploads}?digest=${digest}`, { body: content });
    expect([status, headers.location]).toEqual([201, blob]);
    expect((await ask("GET", blob)).text).toBe(content);
  });

  it("in chunks, the last of them with the PUT or before it", async () => {
    for (const lastWithPut of [true, false]) {
      const { ask } = await serverOfTest();
      let { location } = (await ask("POST", uploads, { headers: { "content-length": "0" } })).headers;
      const first = await ask("PATCH", location as string, {
        body: content.slice(0, 5),
        headers: { "content-range": "0-4" },
      });
      expect([first.status, first.headers.range]).toEqual([202, "0-4"]);
      location = first.headers.location;
      const rest = { body: content.slice(5), headers: { "content-range": `5-${content.length - 1}` } };
      if (!lastWithPut) location = (await ask("PATCH", location as string, rest)).headers.location;
      const end = await ask("PUT", `${location}?digest=${digest}`, lastWithPut ? rest : {});
      expect(end.status).toBe(201);
      expect((await ask("GET", blob)).text).toBe(content);
    }
  });

  it("streamed, without saying how much comes", async () => {
    const { ask } = await serverOfTest();
    const { location } = (await ask("POST", uploads)).headers;
    const streamed = await ask("PATCH", location as string, {
      body: content,
      headers: { "transfer-encoding": "chunked" },
    });
    expect([streamed.status, streamed.headers.range]).toEqual([202, `0-${content.length - 1}`]);
    expect((await ask("PUT", `${location}?digest=${digest}`)).status).toBe(201);
  });

  it("of no bytes at all", async () => {
    const { ask } = await serverOfTest();
    const empty = await pushBlob(ask, repository, "");
    const { status, text, headers } = await ask("GET", `/v2/${repository}/blobs/${empty}`);
    expect([status, text, headers["content-length"]]).toEqual([200, "", "0"]);
  });

  it("by mounting them from another repository, or starting an upload where that is not possible", async () => {
    const { ask } = await serverOfTest();
    await pushBlob(ask, "other", content);
    const absent = sha256("absent");
    expect((await ask("POST", `${uploads}?mount=${absent}&from=other`)).status).toBe(202);
    expect((await ask("POST", `${uploads}?mount=${digest}&from=nowhere`)).status).toBe(202);
    expect((await ask("HEAD", blob)).status).toBe(404);
    const mounted = await ask("POST", `${uploads}?mount=${digest}&from=other`);
    expect([mounted.status, mounted.headers.location]).toEqual([201, blob]);
    expect((await ask("GET", blob)).text).toBe(content);
  });

  it("only under digests that are theirs", async () => {
    const { ask } = await serverOfTest();
    const wrong = sha256("other");
    expect((await ask("POST", `${uploads}?digest=${wrong}`, { body: content })).code).toBe("DIGEST_INVALID");
    expect((await ask("POST", `${uploads}?digest=sha256:12`, { body: content })).code).toBe("DIGEST_INVALID");
    const { location } = (await ask("POST", uploads)).headers;
    expect((await ask("PUT", location as string, { body: content })).code).toBe("DIGEST_INVALID");
    expect((await ask("PUT", `${location}?digest=${digest}`, { body: content })).status).toBe(201);
    expect((await ask("HEAD", `/v2/${repository}/blobs/${wrong}`)).status).toBe(404);
  });
});

describe("pushing manifests", () => {
  const manifest = manifestOf([content]);

  it("by tag and by digest", async () => {
    const { ask } = await serverOfTest();
    for (const part of ["{}", content]) await pushBlob(ask, repository, part);
    const named = sha256(manifest);
    for (const reference of ["v1", named]) {
      const { status, headers } = await putManifest(ask, repository, reference, manifest);
      expect([status, headers.location]).toEqual([201, `/v2/${repository}/manifests/${reference}`]);
      expect(headers["docker-content-digest"]).toBe(named);
      expect(headers["oci-subject"]).toBeUndefined();
    }
  });

  it("A, then B, then A leaves the tag at A", async () => {
    const { ask } = await serverOfTest();
    for (const part of ["{}", "a", "b"]) await pushBlob(ask, repository, part);
    for (const layer of ["a", "b", "a"]) await putManifest(ask, repository, "v1", manifestOf([layer]));
    expect((await ask("GET", `/v2/${repository}/manifests/v1`)).body).toEqual(manifestOf(["a"]));
  });

  it("only when all that they name is there, in its size", async () => {
    const { ask } = await serverOfTest();
    const missing = await putManifest(ask, repository, "v1", manifest);
    expect([missing.status, missing.code]).toEqual([400, "MANIFEST_BLOB_UNKNOWN"]);
    await pushBlob(ask, "other", "{}");
    await pushBlob(ask, repository, content);
    expect((await putManifest(ask, repository, "v1", manifest)).code).toBe("MANIFEST_BLOB_UNKNOWN");
    await pushBlob(ask, repository, "{}");
    const lying = Buffer.from(manifest.toString().replace(`"size":${content.length}`, '"size":1'));
    expect((await putManifest(ask, repository, "v1", lying)).code).toBe("MANIFEST_INVALID");
    const index = JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.index,
      manifests: [{ mediaType: mediaTypes.manifest, digest: sha256(manifest), size: manifest.length }],
    });
    const put = () =>
      ask("PUT", `/v2/${repository}/manifests/i`, { body: index, headers: { "content-type": mediaTypes.index } });
    expect((await put()).code).toBe("MANIFEST_BLOB_UNKNOWN");
    await putManifest(ask, repository, "v1", manifest);
    expect((await put()).status).toBe(201);
  });

  it("only when they are manifests, of the type that they are said to be, and of the digest", async () => {
    const { ask } = await serverOfTest();
    for (const part of ["{}", content]) await pushBlob(ask, repository, part);
    const put = (body: string | Buffer, type: string = mediaTypes.manifest, reference = "v1") =>
      ask("PUT", `/v2/${repository}/manifests/${reference}`, { body, headers: { "content-type": type } });
    for (const answer of [
      await put(""),
      await put("{}"),
      await put("no json"),
      await put(manifest, mediaTypes.index),
      await put(manifest, "text/plain"),
      await put(manifest, mediaTypes.manifest, "-x"),
    ]) {
      expect([answer.status, answer.code]).toEqual([400, "MANIFEST_INVALID"]);
    }
    expect((await put(manifest, mediaTypes.manifest, sha256("x"))).code).toBe("DIGEST_INVALID");
    expect((await put(Buffer.alloc(5 * 1024 * 1024, " "))).status).toBe(413);
    expect((await ask("HEAD", `/v2/${repository}/manifests/v1`)).status).toBe(404);
  });
});
