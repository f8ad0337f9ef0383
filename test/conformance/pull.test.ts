import { describe, expect, it } from "vitest";
import { sha256 } from "../../src/oci/digest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { manifestOf, pushImage, serverOfTest } from "../../src/registry-server/testdata/fixture.ts";

// OCI distribution specification, "Pull".
describe("pulling", () => {
  it("manifests by tag and digest, byte for byte", async () => {
    const { ask } = await serverOfTest();
    const digest = await pushImage(ask, "a/b", "v1", ["one"]);
    const body = manifestOf(["one"]);
    for (const reference of ["v1", digest, encodeURIComponent(digest)]) {
      for (const method of ["GET", "HEAD"]) {
        const answer = await ask(method, `/v2/a/b/manifests/${reference}`);
        expect(answer.status).toBe(200);
        expect(answer.headers).toMatchObject({
          "content-type": mediaTypes.manifest,
          "content-length": String(body.length),
          "docker-content-digest": digest,
        });
        expect(answer.body).toEqual(method === "GET" ? body : Buffer.alloc(0));
      }
    }
  });

  it("blobs, whole or a range of them", async () => {
    const { ask } = await serverOfTest();
    await pushImage(ask, "a", "v1", ["0123456789"]);
    const blob = `/v2/a/blobs/${sha256("0123456789")}`;
    const head = await ask("HEAD", blob);
    expect([head.status, head.headers["content-length"], head.text]).toEqual([200, "10", ""]);
    expect((await ask("GET", blob)).text).toBe("0123456789");
    for (const [range, status, text, contentRange] of [
      ["bytes=2-4", 206, "234", "bytes 2-4/10"],
      ["bytes=7-", 206, "789", "bytes 7-9/10"],
      ["bytes=-2", 206, "89", "bytes 8-9/10"],
      ["bytes=5-99", 206, "56789", "bytes 5-9/10"],
      ["bytes=0-1,3-4", 200, "0123456789", undefined],
    ] as const) {
      const answer = await ask("GET", blob, { headers: { range } });
      expect([range, answer.status, answer.text, answer.headers["content-range"]]).toEqual([
        range,
        status,
        text,
        contentRange,
      ]);
    }
    const beyond = await ask("GET", blob, { headers: { range: "bytes=10-" } });
    expect([beyond.status, beyond.headers["content-range"]]).toEqual([416, "bytes */10"]);
  });

  it("what is not there is not there", async () => {
    const { ask } = await serverOfTest();
    await pushImage(ask, "a", "v1", ["one"]);
    for (const [path, code] of [
      ["/v2/a/manifests/v2", "MANIFEST_UNKNOWN"],
      ["/v2/a/manifests/.INVALID", "MANIFEST_UNKNOWN"],
      [`/v2/a/manifests/${sha256("x")}`, "MANIFEST_UNKNOWN"],
      ["/v2/b/manifests/v1", "MANIFEST_UNKNOWN"],
      [`/v2/b/manifests/${sha256(manifestOf(["one"]))}`, "MANIFEST_UNKNOWN"],
      [`/v2/a/blobs/${sha256("x")}`, "BLOB_UNKNOWN"],
      [`/v2/b/blobs/${sha256("one")}`, "BLOB_UNKNOWN"],
      [`/v2/a/blobs/${sha256(manifestOf(["one"]))}`, "BLOB_UNKNOWN"],
      ["/v2/nothing", "UNSUPPORTED"],
    ] as const) {
      const answer = await ask("GET", path);
      expect([path, answer.status, answer.code]).toEqual([path, 404, code]);
      expect((await ask("HEAD", path)).status).toBe(404);
    }
    expect((await ask("GET", "/v2/a/blobs/sha256:12")).code).toBe("DIGEST_INVALID");
    expect((await ask("GET", "/v2/A/manifests/v1")).code).toBe("NAME_INVALID");
    expect((await ask("POST", "/v2/a/manifests/v1")).status).toBe(405);
  });
});
