import { readdir } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { digestOf, sha256 } from "../../oci/digest.ts";
import { type Ask, pushImage, serverOfTest } from "../testdata/fixture.ts";
import { StoreLayout } from "./layout.ts";

const content = "0123456789".repeat(1000);

async function begin(ask: Ask): Promise<string> {
  const { status, headers } = await ask("POST", "/v2/a/blobs/uploads/");
  expect(status).toBe(202);
  return headers.location as string;
}

describe("uploads", () => {
  it("go on in another server's life, from what came before", async () => {
    const first = await serverOfTest();
    const location = await begin(first.ask);
    await first.ask("PATCH", location, { body: content.slice(0, 4000) });
    await first.stop();

    const { ask } = await serverOfTest({ paths: first.paths });
    const status = await ask("GET", location);
    expect([status.status, status.headers.range]).toEqual([204, "0-3999"]);
    await ask("PATCH", location, { body: content.slice(4000), headers: { "content-range": "4000-9999" } });
    expect((await ask("PUT", `${location}?digest=${sha256(content)}`)).status).toBe(201);
    expect((await ask("GET", `/v2/a/blobs/${sha256(content)}`)).text).toBe(content);
  });

  it("refuse pieces out of order and say where they stand", async () => {
    const { ask } = await serverOfTest();
    const location = await begin(ask);
    await ask("PATCH", location, { body: "01234", headers: { "content-range": "0-4" } });
    for (const range of ["0-4", "6-9", "x", "4-2"]) {
      const { status, code } = await ask("PATCH", location, { body: "56789", headers: { "content-range": range } });
      expect([range, status, code]).toEqual([range, 416, "BLOB_UPLOAD_INVALID"]);
    }
    expect((await ask("GET", location)).headers.range).toBe("0-4");
  });

  it("drop a piece that is longer than announced, and no other", async () => {
    const { ask } = await serverOfTest();
    const location = await begin(ask);
    await ask("PATCH", location, { body: "01234", headers: { "content-range": "0-4" } });
    expect((await ask("PATCH", location, { body: "56789x", headers: { "content-range": "5-9" } })).code).toBe(
      "SIZE_INVALID",
    );
    const end = await ask("PUT", `${location}?digest=${sha256("0123456789")}`, {
      body: "56789",
      headers: { "content-range": "5-9" },
    });
    expect(end.status).toBe(201);
  });

  it("become no blob when their digest is another one", async () => {
    const { ask, paths } = await serverOfTest();
    const location = await begin(ask);
    await ask("PATCH", location, { body: content });
    const { status, code, text } = await ask("PUT", `${location}?digest=${sha256("other")}`);
    expect([status, code]).toEqual([400, "DIGEST_INVALID"]);
    expect(text).toContain(sha256(content));
    expect((await ask("GET", location)).code).toBe("BLOB_UPLOAD_UNKNOWN");
    expect((await ask("HEAD", `/v2/a/blobs/${sha256("other")}`)).status).toBe(404);
    expect(await readdir(new StoreLayout(paths.data).uploads("a"))).toEqual([]);
  });

  it("take requests for the same upload one after the other", async () => {
    const { ask } = await serverOfTest();
    const location = await begin(ask);
    const pieces = Array.from({ length: 10 }, () => ask("PATCH", location, { body: "x".repeat(1000) }));
    expect(new Set((await Promise.all(pieces)).map((answer) => answer.headers.range)).size).toBe(10);
    expect((await ask("PUT", `${location}?digest=${sha256("x".repeat(10_000))}`)).status).toBe(201);
  });

  it("know sha512 too", async () => {
    const { ask } = await serverOfTest();
    const location = await begin(ask);
    const digest = digestOf("sha512", content);
    expect((await ask("PUT", `${location}?digest=${digest}`, { body: content })).status).toBe(201);
    expect((await ask("GET", `/v2/a/blobs/${digest}`)).text).toBe(content);
  });

  it("are not deleted while a manifest needs them", async () => {
    const { ask } = await serverOfTest();
    const digest = await pushImage(ask, "a", "v1", ["layer"]);
    for (const blob of [sha256("layer"), sha256("{}")]) {
      const { status, text } = await ask("DELETE", `/v2/a/blobs/${blob}`);
      expect([status, text]).toEqual([405, expect.stringContaining(`The manifest ${digest} needs this blob`)]);
    }
    await ask("DELETE", `/v2/a/manifests/${digest}`);
    expect((await ask("DELETE", `/v2/a/blobs/${sha256("layer")}`)).status).toBe(202);
  });

  it("are of one repository", async () => {
    const { ask } = await serverOfTest();
    const location = await begin(ask);
    const elsewhere = location.replace("/v2/a/", "/v2/b/");
    expect((await ask("PATCH", elsewhere, { body: "x" })).code).toBe("BLOB_UPLOAD_UNKNOWN");
    expect((await ask("GET", elsewhere)).code).toBe("BLOB_UPLOAD_UNKNOWN");
    expect((await ask("DELETE", location)).status).toBe(204);
    expect((await ask("DELETE", location)).code).toBe("BLOB_UPLOAD_UNKNOWN");
  });
});
