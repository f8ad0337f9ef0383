import { randomBytes } from "node:crypto";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { failureWith } from "../../src/core/testdata/reported.ts";
import type { RegistryClient } from "../../src/registry/client/client.ts";
import { openRegistry } from "../../src/registry/client/open.ts";
import { type BlobOutcome, pushImages } from "../../src/registry/client/push.ts";
import { blobOf, imageOf } from "../../src/registry/client/testdata/images.ts";
import { serverOfTest } from "../../src/registry-server/testdata/fixture.ts";
import { type FaultProxy, faultProxy, type Passing, type Target } from "./testdata/fault-proxy.ts";
import { expectIntact } from "./testdata/image.ts";
import { basic, openThrough } from "./testdata/suite.ts";

let target: Target;
let proxy: FaultProxy;
let direct: RegistryClient;
beforeEach(async () => {
  const { paths } = await serverOfTest();
  target = { socketPath: paths.socket };
  proxy = await faultProxy(target);
  direct = openRegistry("localhost:1", { embedded: { socketPath: paths.socket } });
  onTestFinished(() => direct.close());
});

/** Pushes an image two of whose blobs are new and one of which is in another repository. */
async function push(): Promise<BlobOutcome[]> {
  const base = imageOf(direct, { repository: "team/base", tags: ["b"], layers: ["base"] });
  await pushImages([base], { check: "digest" });
  const outcomes: BlobOutcome[] = [];
  const image = imageOf(openThrough(proxy), {
    repository: "team/app",
    tags: ["v1"],
    layers: ["base", randomBytes(100_000)],
    mountFrom: "team/base",
  });
  await pushImages([image], {
    check: "tags",
    onEvent: (event) => event.type === "blob" && outcomes.push(event.outcome),
  });
  await expectIntact(direct, image);
  return outcomes.sort();
}

const isMount = ({ method, path }: Passing) => method === "POST" && path.includes("mount=");

describe("a registry", () => {
  it.each([400, 404, 405, 500])("that answers %d to a mount gets the blob instead", async (status) => {
    proxy.treat = (passing) => (isMount(passing) ? { kind: "answer", status } : { kind: "pass" });
    expect(await push()).toEqual(["uploaded", "uploaded", "uploaded"]);
  });

  it("that opens an upload when asked for a mount gets the blob by it", async () => {
    proxy.treat = (passing) => {
      if (isMount(passing)) Object.assign(passing, { path: passing.path.replace(/\?.*/, "") });
      return { kind: "pass" };
    };
    expect(await push()).toEqual(["uploaded", "uploaded", "uploaded"]);
  });

  it.each([404, 405, 501])("that answers %d to the question for a blob gets all of them", async (status) => {
    const isQuestion = ({ method, path }: Passing) => method === "HEAD" && path.includes("/blobs/");
    proxy.treat = (passing) => (isQuestion(passing) ? { kind: "answer", status } : { kind: "pass" });
    expect((await push()).length).toBe(3);
  });

  it.each([400, 405, 501])("that answers %d to chunks gets a blob whole again after a break", async (status) => {
    let broken = 0;
    proxy.treat = ({ method, path }) => {
      if (method === "PATCH") return { kind: "answer", status };
      if (method === "PUT" && path.includes("/uploads/") && broken++ === 0) return { kind: "truncate" };
      return { kind: "pass" };
    };
    const bytes = randomBytes(300_000);
    const blob = blobOf(bytes);
    expect(await openThrough(proxy).pushBlob({ repository: "team/app", ...blob })).toBe("uploaded");
    expect(broken).toBeGreaterThan(1);
    expect(await direct.headBlob("team/app", blob.descriptor.digest)).toBe(bytes.length);
  });

  it("that does not answer HEAD for manifests is asked for them whole", async () => {
    proxy.treat = ({ method, path }) =>
      method === "HEAD" && path.includes("/manifests/") ? { kind: "answer", status: 405 } : { kind: "pass" };
    expect((await push()).length).toBe(3);
  });

  it("whose uploads go to another host gets them there, and its credential stays here", async () => {
    const elsewhere = await faultProxy(target);
    // Asks for a password, so that there is one to lose.
    proxy.treat = ({ headers }) =>
      headers.authorization === basic
        ? { kind: "pass" }
        : { kind: "answer", status: 401, headers: { "www-authenticate": 'Basic realm="x"' } };
    proxy.rewrite = ({ headers }) => {
      if (!headers.location?.includes("/uploads/")) return;
      headers.location = new URL(
        new URL(headers.location, `http://${proxy.host}`).pathname,
        `http://${elsewhere.host}`,
      ).href;
    };
    expect(await push()).toEqual(["mounted", "uploaded", "uploaded"]);
    expect(elsewhere.seen.filter(({ method }) => method === "PUT").length).toBe(2);
    expect(elsewhere.seen.map(({ headers }) => headers.authorization)).toEqual(elsewhere.seen.map(() => undefined));
    expect(proxy.seen.some(({ headers }) => headers.authorization === basic)).toBe(true);
  });

  it("whose uploads go to another host without TLS is refused", async () => {
    proxy.rewrite = ({ headers }) => {
      if (headers.location?.includes("/uploads/")) headers.location = "http://elsewhere.example/upload";
    };
    await expect(push()).rejects.toThrow(failureWith("registry-failed"));
  });
});
