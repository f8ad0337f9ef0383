import { describe, expect, it } from "vitest";
import { sha256 } from "../../src/oci/digest.ts";
import { pushImage, serverOfTest } from "../../src/registry-server/testdata/fixture.ts";

// OCI distribution specification, "Content Management".
describe("deleting", () => {
  it("a tag leaves the manifest and its other tags", async () => {
    const { ask } = await serverOfTest();
    const digest = await pushImage(ask, "a", "v1", ["one"]);
    await pushImage(ask, "a", "v2", ["one"]);
    expect((await ask("DELETE", "/v2/a/manifests/v1")).status).toBe(202);
    expect((await ask("GET", "/v2/a/manifests/v1")).status).toBe(404);
    for (const reference of ["v2", digest]) expect((await ask("GET", `/v2/a/manifests/${reference}`)).status).toBe(200);
    expect((await ask("DELETE", "/v2/a/manifests/v1")).code).toBe("MANIFEST_UNKNOWN");
  });

  it("a manifest takes its tags with it, in this repository alone", async () => {
    const { ask } = await serverOfTest();
    const digest = await pushImage(ask, "a", "v1", ["one"]);
    await pushImage(ask, "a", "v2", ["one"]);
    await pushImage(ask, "a", "other", ["two"]);
    await pushImage(ask, "b", "v1", ["one"]);
    expect((await ask("DELETE", `/v2/a/manifests/${digest}`)).status).toBe(202);
    expect(JSON.parse((await ask("GET", "/v2/a/tags/list")).text)).toEqual({ name: "a", tags: ["other"] });
    expect((await ask("GET", `/v2/a/manifests/${digest}`)).status).toBe(404);
    expect((await ask("GET", "/v2/b/manifests/v1")).status).toBe(200);
    expect((await ask("DELETE", `/v2/a/manifests/${digest}`)).code).toBe("MANIFEST_UNKNOWN");
  });

  it("a blob is for this repository alone, and it can come again", async () => {
    const { ask } = await serverOfTest();
    const digest = sha256("one");
    const manifest = await pushImage(ask, "a", "v1", ["one"]);
    await pushImage(ask, "b", "v1", ["one"]);
    // As long as a manifest needs it, it stays.
    expect((await ask("DELETE", `/v2/a/blobs/${digest}`)).code).toBe("UNSUPPORTED");
    await ask("DELETE", `/v2/a/manifests/${manifest}`);
    expect((await ask("DELETE", `/v2/a/blobs/${digest}`)).status).toBe(202);
    expect((await ask("HEAD", `/v2/a/blobs/${digest}`)).status).toBe(404);
    expect((await ask("GET", `/v2/b/blobs/${digest}`)).text).toBe("one");
    expect((await ask("DELETE", `/v2/a/blobs/${digest}`)).code).toBe("BLOB_UNKNOWN");
    await pushImage(ask, "a", "v1", ["one"]);
    expect((await ask("GET", `/v2/a/blobs/${digest}`)).text).toBe("one");
  });
});
