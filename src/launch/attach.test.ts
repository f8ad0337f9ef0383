import type { IncomingMessage } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { printed } from "../core/testdata/reported.ts";
import type { Digest } from "../oci/digest.ts";
import { openRegistry } from "../registry/client/open.ts";
import { FakeRegistry } from "../registry/client/testdata/fake-registry.ts";
import { Target } from "./testdata/target.ts";

let registry: FakeRegistry;
beforeEach(async () => {
  registry = await FakeRegistry.start();
});
afterEach(() => registry.stop());

const spdx = "application/spdx+json";
const inToto = "application/vnd.in-toto+json";
const types = [spdx, inToto];

/**
 * A target whose image has documents of these types. Each target has a state folder of its own, as on another machine.
 */
function documented(artifactTypes: readonly string[] = types) {
  const target = new Target("push");
  target.request.defaultRegistry = registry.host;
  const referrers = artifactTypes.map((artifactType, index) => ({
    file: target.file(`_main/pkg/document${index}.json`, JSON.stringify({ artifactType })),
    artifactType,
  }));
  return { target, referrers, digest: target.image({ layers: ["x"], referrers }) };
}

async function attachedTo(digest: Digest): Promise<string[]> {
  const client = openRegistry(registry.host);
  const found = await client.referrers("team/app", digest);
  client.close();
  // Tools choose statements by their predicate.
  for (const { artifactType, annotations } of found) {
    const predicate = artifactType === inToto ? "https://slsa.dev/provenance/v1" : undefined;
    expect(annotations?.["in-toto.io/predicate-type"]).toBe(predicate);
  }
  return found.map(({ artifactType = "" }) => artifactType).sort();
}

/** The requests of a run that succeeds. */
async function requestsOf(target: Target): Promise<string[]> {
  registry.seen.length = 0;
  expect(await target.run()).toMatchObject({ status: 0, stderr: expect.not.stringContaining("attached") });
  return registry.log;
}

const writes = (log: readonly string[]) => log.filter((each) => !/^(HEAD|GET) /.test(each));

/** Tells if a request stores the manifest of an artifact: that of the image has another digest or a tag. */
const isArtifact = ({ method, url = "" }: IncomingMessage, digest: Digest) =>
  method === "PUT" && /\/manifests\/sha256:/.test(url) && !url.endsWith(digest);

describe("the documents of an image", () => {
  it("are attached with the image, and cost no request when nothing changed", async () => {
    const { target, digest } = documented();
    await requestsOf(target);
    expect(await attachedTo(digest)).toEqual(types);
    const contents = [...registry.blobs.values()].map(String);
    expect(contents).toEqual(expect.arrayContaining(types.map((artifactType) => JSON.stringify({ artifactType }))));
    expect(await requestsOf(target)).toEqual(["HEAD /v2/team/app/manifests/t_default"]);
  });

  it("of the images of an index are attached to each of those", async () => {
    const target = new Target("push");
    target.request.defaultRegistry = registry.host;
    const file = target.file("_main/pkg/document.json", "{}");
    const images = ["amd64", "arm64"].map((tag) =>
      target.image({ tag, layers: [tag], referrers: [{ file, artifactType: spdx }] }),
    );
    const index = target.index();
    target.images.splice(0, 1, {
      ...(target.images[0] as object),
      referrers: [{ file, artifactType: inToto }],
    } as never);
    await requestsOf(target);
    for (const image of images) expect(await attachedTo(image)).toEqual([spdx]);
    expect(await attachedTo(index)).toEqual([inToto]);
    expect(await requestsOf(target)).toHaveLength(1);
  });
});

describe("an image that the registry has without its documents", () => {
  it("gets them from a push, once", async () => {
    const { digest } = await bare();
    expect(await attachedTo(digest)).toEqual([]);
    const { target } = documented();
    await requestsOf(target);
    expect(await attachedTo(digest)).toEqual(types);
    expect(await requestsOf(target)).toHaveLength(1);
    // Another machine asks, and sends nothing.
    expect(writes(await requestsOf(documented().target))).toEqual([]);
  });

  it("keeps the documents that it has, of another commit too", async () => {
    const { digest } = documented();
    for (const commit of ["one", "two"]) {
      const { target, referrers } = documented();
      for (const { file } of referrers) target.file(file, commit);
      await requestsOf(target);
    }
    expect(await attachedTo(digest)).toEqual(types);
    expect([...registry.blobs.values()].map(String)).not.toContain("two");
  });

  it("gets one of another format beside the one that it has", async () => {
    const cyclonedx = "application/vnd.cyclonedx+json";
    const { target, digest } = documented([spdx]);
    await requestsOf(target);
    const other = documented([cyclonedx]).target;
    await requestsOf(other);
    expect(await attachedTo(digest)).toEqual([spdx, cyclonedx]);
    expect(await requestsOf(target)).toHaveLength(1);
  });

  async function bare() {
    const without = documented([]);
    await requestsOf(without.target);
    return without;
  }
});

describe("a new image and its documents", () => {
  it("are sent at once", async () => {
    const { target, digest } = documented();
    const documents = Promise.withResolvers<void>();
    registry.intervene = async (request) => {
      if (request.url?.endsWith(`/manifests/${digest.replace(":", "-")}`)) documents.resolve();
      // The image waits for the list of its documents.
      if (request.url?.endsWith("/manifests/t_default") && request.method === "PUT") await documents.promise;
      return false;
    };
    await requestsOf(target);
    expect(await attachedTo(digest)).toEqual(types);
  });

  it("are sent one after the other where the registry wants the image first", async () => {
    const { target, digest } = documented();
    const refused = Promise.withResolvers<void>();
    registry.intervene = async (request, response) => {
      if (request.url?.endsWith("/manifests/t_default") && request.method === "PUT") await refused.promise;
      if (!isArtifact(request, digest) || registry.manifests.has(`team/app ${digest}`)) return false;
      request.resume();
      response.writeHead(400).end('{"errors":[{"code":"MANIFEST_INVALID","message":"no such subject"}]}');
      refused.resolve();
      return true;
    };
    await requestsOf(target);
    expect(await attachedTo(digest)).toEqual(types);
  });
});

describe("a registry that takes no artifacts", () => {
  it("fails a push", async () => {
    const { target, digest } = documented();
    registry.intervene = (request, response) => {
      if (!isArtifact(request, digest)) return false;
      request.resume();
      response.writeHead(403).end('{"errors":[{"code":"DENIED","message":"no artifacts"}]}');
      return true;
    };
    expect(await target.run()).toMatchObject({ status: 2, stderr: printed("registry-login", "no artifacts") });
  });
});
