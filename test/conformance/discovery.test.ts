import { describe, expect, it } from "vitest";
import { sha256 } from "../../src/oci/digest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import {
  type Ask,
  manifestOf,
  pushBlob,
  pushImage,
  putManifest,
  serverOfTest,
} from "../../src/registry-server/testdata/fixture.ts";

// OCI distribution specification, "Content Discovery".
describe("listing tags", () => {
  const tags = async (ask: Ask, query = "") => {
    const { status, text, headers } = await ask("GET", `/v2/a/tags/list${query}`);
    expect(status).toBe(200);
    return { ...(JSON.parse(text) as { name: string; tags: string[] }), link: headers["link"] };
  };

  it("gives all of them in order, or a page and the way to the next", async () => {
    const { ask } = await serverOfTest();
    for (const tag of ["v2", "v10", "latest", "V1"]) await pushImage(ask, "a", tag, ["one"]);
    const all = ["V1", "latest", "v10", "v2"];
    expect(await tags(ask)).toEqual({ name: "a", tags: all, link: undefined });
    const page = await tags(ask, "?n=3");
    expect([page.tags, page.link]).toEqual([all.slice(0, 3), '</v2/a/tags/list?n=3&last=v10>; rel="next"']);
    expect(await tags(ask, "?n=3&last=v10")).toMatchObject({ tags: ["v2"], link: undefined });
    expect(await tags(ask, "?last=latest")).toMatchObject({ tags: ["v10", "v2"] });
    expect(await tags(ask, "?n=0")).toMatchObject({ tags: [], link: undefined });
    expect(await tags(ask, "?n=4")).toMatchObject({ tags: all, link: undefined });
  });

  it("knows which repositories there are", async () => {
    const { ask } = await serverOfTest();
    const answer = await ask("GET", "/v2/a/tags/list");
    expect([answer.status, answer.code]).toEqual([404, "NAME_UNKNOWN"]);
    await pushBlob(ask, "a", "x");
    expect((await tags(ask)).tags).toEqual([]);
  });
});

describe("listing referrers", () => {
  it("gives what names a manifest as its subject, all or of one type", async () => {
    const { ask } = await serverOfTest();
    const body = manifestOf(["one"]);
    const subject = { mediaType: mediaTypes.manifest, digest: sha256(body), size: body.length };
    await pushBlob(ask, "a", "{}");

    const signature = manifestOf([], { subject, artifactType: "application/x.signature", annotations: { by: "me" } });
    const plain = manifestOf([], { subject });
    for (const referrer of [signature, plain]) {
      const { headers } = await putManifest(ask, "a", sha256(referrer), referrer);
      expect(headers["oci-subject"]).toBe(subject.digest);
    }
    await pushImage(ask, "a", "v1", ["one"]);

    const list = async (query = "") => {
      const { status, headers, text } = await ask("GET", `/v2/a/referrers/${subject.digest}${query}`);
      expect([status, headers["content-type"]]).toEqual([200, mediaTypes.index]);
      const { manifests } = JSON.parse(text) as { manifests: { digest: string }[] };
      return { manifests, filters: headers["oci-filters-applied"] };
    };
    const signatureEntry = {
      mediaType: mediaTypes.manifest,
      digest: sha256(signature),
      size: signature.length,
      artifactType: "application/x.signature",
      annotations: { by: "me" },
    };
    const plainEntry = {
      mediaType: mediaTypes.manifest,
      digest: sha256(plain),
      size: plain.length,
      artifactType: mediaTypes.config,
    };
    const { manifests, filters } = await list();
    expect(filters).toBeUndefined();
    expect(new Set(manifests)).toEqual(new Set([signatureEntry, plainEntry]));
    expect(await list("?artifactType=application/x.signature")).toEqual({
      manifests: [signatureEntry],
      filters: "artifactType",
    });
    expect((await list("?artifactType=none")).manifests).toEqual([]);

    await ask("DELETE", `/v2/a/manifests/${sha256(signature)}`);
    expect((await list()).manifests).toEqual([plainEntry]);
  });

  it("of nothing is an empty list, of no digest an error", async () => {
    const { ask } = await serverOfTest();
    const answer = await ask("GET", `/v2/a/referrers/${sha256("x")}`);
    expect([answer.status, JSON.parse(answer.text)]).toEqual([
      200,
      { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [] },
    ]);
    expect((await ask("GET", "/v2/a/referrers/x")).status).toBe(400);
  });
});
