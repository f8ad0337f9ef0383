import { randomBytes } from "node:crypto";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { exitStatusOf } from "../../core/errors.ts";
import { failureWith, userErrorWith } from "../../core/testdata/reported.ts";
import { sha256 } from "../../oci/digest.ts";
import { mediaTypes } from "../../oci/media-types.ts";
import { fetchManifest } from "./fetch-manifest.ts";
import { openRegistry } from "./open.ts";
import { FakeRegistry } from "./testdata/fake-registry.ts";
import {
  answer,
  basic,
  failure,
  guarded,
  open,
  registry,
  reset,
  somebody,
  times,
  useRegistry,
  where,
} from "./testdata/harness.ts";
import { blobOf, quickRetry } from "./testdata/images.ts";
import { listen } from "./testdata/listen.ts";

useRegistry();

describe("manifests", () => {
  it("come back as they were put, by tag and digest, with one request each", async () => {
    const client = open();
    const bytes = registry.putBlob("a", Buffer.from("{}")) && Buffer.from(JSON.stringify(emptyManifest()));
    await client.putManifest("a", "v1", bytes, mediaTypes.manifest);
    const descriptor = { mediaType: mediaTypes.manifest, digest: sha256(bytes), size: bytes.length };
    expect(await client.headManifest("a", "v1")).toEqual(descriptor);
    expect(await client.headManifest("a", sha256(bytes))).toEqual(descriptor);
    expect(await client.getManifest("a", "v1")).toEqual({ bytes, descriptor });
    expect(await client.headManifest("a", "v2")).toBeUndefined();
    expect(await client.getManifest("a", "v2")).toBeUndefined();
    expect(await client.listTags("a")).toEqual(["v1"]);
    expect(await client.deleteManifest("a", "v1")).toBe(true);
    expect(await client.deleteManifest("a", "v1")).toBe(false);
    expect(registry.seen.length).toBe(9);
  });

  it("are asked for in full where the registry gives no digest", async () => {
    registry.intervene = times(1, /^HEAD/, answer(200, { "content-type": mediaTypes.manifest }));
    const bytes = Buffer.from("{}");
    registry.manifests.set("a v1", { bytes, mediaType: mediaTypes.manifest });
    expect((await open().headManifest("a", "v1"))?.digest).toBe(sha256(bytes));
  });

  it("that are not what their digest says are refused", async () => {
    const asked = sha256("one");
    registry.manifests.set(`a ${asked}`, { bytes: Buffer.from("two"), mediaType: mediaTypes.manifest });
    const damaged = failureWith("registry-failed", registry.host);
    await expect(open().getManifest("a", asked)).rejects.toThrow(damaged);
    await expect(open().headManifest("a", asked)).rejects.toThrow(damaged);
  });

  it("and tags of many pages are all listed, on the registry itself", async () => {
    const link = '<http://elsewhere.invalid/v2/a/tags/list?last=x>; rel="next"';
    const first = where(/\/list$/, answer(200, { link }, '{"name":"a","tags":["x"]}'));
    registry.intervene = async (...call) =>
      (await first(...call)) || where(/\?last=x$/, answer(200, {}, '{"name":"a","tags":["y"]}'))(...call);
    expect(await open().listTags("a")).toEqual(["x", "y"]);
  });

  it("that refer to one are found by the API, page by page", async () => {
    const subject = sha256("subject");
    const page = (artifactType: string) => {
      const descriptor = { mediaType: mediaTypes.manifest, digest: sha256(artifactType), size: 3, artifactType };
      return JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [descriptor] });
    };
    registry.intervene = (...call) => {
      const isLast = call[0].url?.includes("last=1") ?? false;
      const link = `</v2/a/referrers/${subject}?last=1>; rel="next"`;
      return answer(200, isLast ? {} : { link }, page(isLast ? "two" : "one"))(...call);
    };
    const found = await open().referrers("a", subject);
    expect(found.map(({ digest }) => digest)).toEqual([sha256("one"), sha256("two")]);
    expect(registry.log.every((each) => each === `GET /v2/a/referrers/${subject}`)).toBe(true);
  });

  it.each([
    ["404 without a body", answer(404)],
    ["404 with an error", answer(404, {}, '{"errors":[{"code":"NOT_FOUND"}]}')],
    ["404 with a page", answer(404, { "content-type": "text/html" }, "<html>")],
    ["400", answer(400, {}, '{"errors":[{"code":"UNSUPPORTED"}]}')],
    ["405", answer(405, {}, '{"errors":[{"code":"UNSUPPORTED"}]}')],
    ["406", answer(406)],
    ["501", answer(501)],
  ])("that refer to one are found by the tag that stands in for an API that answers %s", async (_, reaction) => {
    registry.intervene = where(/\/referrers\//, reaction);
    const subject = sha256("subject");
    const manifests = ["one", "two"].map((artifactType) => ({
      mediaType: mediaTypes.manifest,
      digest: sha256(artifactType),
      size: 3,
      artifactType,
    }));
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }));
    registry.manifests.set(`a ${subject.replace(":", "-")}`, { bytes, mediaType: mediaTypes.index });
    expect((await open().referrers("a", subject)).map((each) => each.digest)).toEqual([sha256("one"), sha256("two")]);
    expect(await open().referrers("a", sha256("another"))).toEqual([]);
  });

  it.each([401, 403, 500])("that refer to one are not looked for elsewhere when the API answers %s", async (status) => {
    registry.intervene = where(/\/referrers\//, answer(status));
    await expect(open().referrers("a", sha256("subject"))).rejects.toThrow(/what refers to/);
  });
});

describe("faults", () => {
  it.each([
    ["a reset", reset],
    ["500", answer(500)],
    ["503 with Retry-After", answer(503, { "retry-after": "0" })],
    ["429", answer(429)],
    ["408", answer(408)],
    ["425", answer(425)],
    ["502", answer(502)],
    ["504", answer(504)],
  ])("of a passing kind are got over: %s", async (_, fault) => {
    registry.intervene = times(2, /./, fault);
    registry.manifests.set("a v1", { bytes: Buffer.from("{}"), mediaType: mediaTypes.manifest });
    expect(await open().headManifest("a", "v1")).toBeDefined();
    expect(registry.seen.length).toBe(3);
  });

  it("end when attempts are used up, with the answer named", async () => {
    registry.intervene = answer(503, {}, '{"errors":[{"code":"UNAVAILABLE","message":"be\\u001b[31m back"}]}');
    const error = await failure(open().getManifest("a", "v1"));
    expect(error).toEqual(failureWith("registry-failed", registry.host));
    expect(error.message).toContain(
      `Registry ${registry.host} answered 503 UNAVAILABLE (be\\u001b[31m back) 6 times while fetching manifest v1 in a.`,
    );
    expect(exitStatusOf(error)).toBe(1);
    expect(registry.seen.length).toBe(6);
  });

  it.each(["3600", new Date(Date.now() + 3_600_000).toUTCString()])(
    "are not waited for longer than the budget: Retry-After: %s",
    async (after) => {
      registry.intervene = answer(429, { "retry-after": after });
      await expect(open().headManifest("a", "v1")).rejects.toThrow(failureWith("registry-refused", registry.host));
      expect(registry.seen.length).toBe(1);
    },
  );

  it("of a truncated body are got over", async () => {
    const bytes = Buffer.from('{"schemaVersion":2}');
    registry.manifests.set("a v1", { bytes, mediaType: mediaTypes.manifest });
    registry.intervene = times(1, /./, (_, response) => {
      response.writeHead(200, { "content-length": bytes.length });
      response.write(bytes.subarray(0, 5), () => response.destroy());
      return true;
    });
    expect((await open().getManifest("a", "v1"))?.bytes).toEqual(bytes);
  });

  it("of a registry that hangs are ended", async () => {
    registry.intervene = () => true;
    const client = open({ idleTimeout: 20, retry: { ...quickRetry, attempts: 2 } });
    registry.intervene = () => false;
    await client.headManifest("a", "v1");
    registry.intervene = () => true;
    await expect(client.headManifest("a", "v1")).rejects.toThrow(/\(nothing was heard within 0 s\) 2 times/);
  });

  it("of a registry that takes connections and has never said anything are ended soon", async () => {
    registry.intervene = () => true;
    const error = await failure(
      open({ firstAnswerTimeout: 50, retry: { ...quickRetry, firstContactBudget: 20 } }).headManifest("a", "v1"),
    );
    expect(error).toEqual(userErrorWith("registry-unreachable", registry.host));
    expect(error.message).toMatch(/\(nothing was heard within 0 s\) while/);
    expect(exitStatusOf(error)).toBe(2);
  });

  it("of a registry that is not there name it and what to do", async () => {
    const { host } = registry;
    await registry.stop();
    const error = await failure(open({}, host).headManifest("team/app", "v1"));
    expect(error).toEqual(userErrorWith("registry-unreachable", host));
    expect(error.message).toMatch(/\(connect ECONNREFUSED .*\).* while asking for manifest v1 in team\/app\.\nCheck/);
    expect(exitStatusOf(error)).toBe(2);
  });

  it("of a registry that is asked by TLS and speaks none say so", async () => {
    const asking = open({ settings: { plainHttp: false } }).headManifest("team/app", "v1");
    await expect(asking).rejects.toThrow(userErrorWith("registry-tls", registry.host));
    await expect(asking).rejects.toThrow("remove `plainHttp: false`");
  });

  it("of a registry on this machine that is asked by plain HTTP and speaks TLS say so", async () => {
    const alert = Buffer.from("15030100020246", "hex");
    const port = await listen(createServer((socket) => socket.on("error", () => {}).end(alert)));
    const host = `localhost:${port}`;
    const error = await failure(open({}, host).headManifest("a", "v1"));
    expect(error).toEqual(userErrorWith("registry-tls", host));
    expect(error.message).toContain("write `plainHttp: false`");
    const page = "<html>The plain HTTP request was sent to HTTPS port</html>";
    registry.intervene = answer(400, { "content-type": "text/html" }, page);
    await expect(open().getManifest("a", "v1")).rejects.toThrow(userErrorWith("registry-tls", registry.host));
    // The answer to HEAD has no page.
    await expect(open().headManifest("a", "v1")).rejects.toThrow("`plainHttp: false`");
  });

  it.each([
    ["a page for everything", answer(200, { "content-type": "text/html; charset=utf-8" }, "<html>"), "getManifest"],
    ["no page at all", answer(404, { "content-type": "text/html" }, "<html>"), "fetch"],
    ["only reading", answer(501, { "content-type": "text/html" }, "<html>"), "push"],
  ] as const)("of a web server that has %s name it", async (_, intervene, act) => {
    registry.intervene = intervene;
    const client = open();
    const acts = {
      getManifest: () => client.getManifest("a", "v1"),
      fetch: () => fetchManifest(client, "a", "v1"),
      push: () => client.pushBlob({ repository: "a", ...blobOf(Buffer.from("x")) }),
    };
    const error = await failure(acts[act]());
    expect(error).toEqual(userErrorWith("registry-unreachable", registry.host));
    expect(error.message).toContain(`Host ${registry.host} is a web server, not a registry`);
    expect(exitStatusOf(error)).toBe(2);
  });

  it("of the embedded registry say that it stopped, and are nobody's mistake", async () => {
    const socketPath = join(tmpdir(), `slipway-none-${process.pid}`);
    const error = await failure(open({ embedded: { socketPath } }).headManifest("a", "v1"));
    expect(error).toEqual(failureWith("embedded-registry", registry.host));
    expect(error.message).toMatch(/^The embedded registry, localhost:\d+, stopped answering \(connect ENOENT/);
    expect(exitStatusOf(error)).toBe(1);
  });

  it("of a connection that can never work are not tried again during an upload", async () => {
    let connections = 0;
    const elsewhere = createServer((socket) => {
      connections++;
      socket.on("error", () => {}).end("HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    const location = `https://localhost:${await listen(elsewhere)}/upload`;
    registry.intervene = times(9, /^POST/, answer(202, { location }));
    const blob = blobOf(Buffer.from("x"));
    const error = await failure(open().pushBlob({ repository: "a", ...blob }));
    expect(error).toEqual(userErrorWith("registry-tls", registry.host));
    expect([connections, registry.seen.length]).toEqual([1, 1]);
  });

  it("of a registry that calls a right manifest wrong are got over once", async () => {
    const invalid = answer(400, {}, '{"errors":[{"code":"DIGEST_INVALID","message":"provided digest did not match"}]}');
    const bytes = Buffer.from(JSON.stringify(emptyManifest()));
    registry.putBlob("a", Buffer.from("{}"));
    const put = () => open().putManifest("a", sha256(bytes), bytes, mediaTypes.manifest);
    registry.intervene = times(1, /^PUT/, invalid);
    expect(await put()).toBe(sha256(bytes));
    registry.seen.length = 0;
    registry.intervene = invalid;
    await expect(put()).rejects.toThrow(failureWith("registry-refused", registry.host));
    expect(registry.seen.length).toBe(2);
  });

  it("of a full disk are not tried again", async () => {
    registry.intervene = times(9, /^POST/, answer(507, {}, '{"errors":[{"message":"ENOSPC: no space left"}]}'));
    const blob = blobOf(Buffer.from("x"));
    const error = await failure(open().pushBlob({ repository: "a", ...blob }));
    expect(error).toEqual(userErrorWith("registry-full", registry.host));
    expect(exitStatusOf(error)).toBe(2);
    expect(registry.seen.length).toBe(1);
  });
});

describe("blobs", () => {
  const content = randomBytes(300_000);
  const descriptor = { digest: sha256(content), size: content.length };

  it("are sent in one request, to the location that the registry gave byte for byte", async () => {
    expect(await open().pushBlob({ repository: "a", ...blobOf(content) })).toBe("uploaded");
    expect(registry.blobs.get(`a ${descriptor.digest}`)).toEqual(content);
    expect(registry.log).toEqual(["POST /v2/a/blobs/uploads/", "PUT /v2/a/blobs/uploads/N"]);
    expect(registry.seen[1]?.path).toContain("?state=a%2Fb&digest=sha256%3A");
  });

  it("are taken up where the registry stopped when the sending breaks off", async () => {
    let cut = false;
    registry.intervene = async (request, response, seen) => {
      if (request.method !== "PUT" || cut) return false;
      cut = true;
      const id = /uploads\/(\d+)/.exec(request.url ?? "")?.[1] ?? "";
      for await (const chunk of request) {
        seen.bytes += chunk.length;
        registry.uploads.set(id, Buffer.concat([registry.uploads.get(id) ?? Buffer.alloc(0), chunk]));
        if (seen.bytes > 100_000) break;
      }
      response.destroy();
      return true;
    };
    const progress: number[] = [];
    const client = open();
    await client.pushBlob({ repository: "a", ...blobOf(content), onBytes: (bytes) => progress.push(bytes) });
    expect(registry.blobs.get(`a ${descriptor.digest}`)).toEqual(content);
    const patch = registry.seen.find((each) => each.method === "PATCH");
    expect(patch?.bytes).toBeLessThan(200_001);
    expect(registry.log.filter((each) => each.startsWith("POST")).length).toBe(1);
    expect(progress.reduce((sum, bytes) => sum + bytes)).toBe(content.length);
  });

  it("start anew when the registry lost what it had", async () => {
    registry.intervene = times(1, /^PUT/, (request) => {
      registry.uploads.clear();
      request.socket.destroy();
      return true;
    });
    await open().pushBlob({ repository: "a", ...blobOf(content) });
    expect(registry.blobs.get(`a ${descriptor.digest}`)).toEqual(content);
  });

  it("are given up when the sending breaks off at the same place again and again", async () => {
    const large = Buffer.alloc(17 << 20);
    registry.intervene = (request, response, seen) => {
      const isLast = /^16777216-/.test(request.headers["content-range"] ?? "");
      if (request.method !== "PUT" && !isLast) return false;
      registry.uploads.clear();
      return reset(request, response, seen);
    };
    await expect(open().pushBlob({ repository: "a", ...blobOf(large) })).rejects.toThrow(
      userErrorWith("registry-unreachable", registry.host),
    );
  });

  it("go whole to a registry that takes no chunks", async () => {
    registry.intervene = (request, response, seen) => {
      if (request.method === "PATCH") return answer(405)(request, response, seen);
      if (request.method === "PUT" && registry.seen.filter((each) => each.method === "PUT").length === 1) {
        return reset(request, response, seen);
      }
      return false;
    };
    await open().pushBlob({ repository: "a", ...blobOf(content) });
    expect(registry.blobs.get(`a ${descriptor.digest}`)).toEqual(content);
  });

  it("are mounted where that is possible, and sent where not", async () => {
    registry.putBlob("base", content);
    expect(await open().pushBlob({ repository: "a", ...blobOf(content), mountFrom: "base" })).toBe("mounted");
    expect(registry.seen.length).toBe(1);
    registry.mounts = false;
    expect(await open().pushBlob({ repository: "b", ...blobOf(content), mountFrom: "base" })).toBe("uploaded");
    registry.intervene = times(1, /mount=/, answer(403));
    expect(await open().pushBlob({ repository: "c", ...blobOf(content), mountFrom: "base" })).toBe("uploaded");
  });

  it("whose source ends early fail by name and store nothing", async () => {
    const { open: source } = blobOf(content);
    const short = open().pushBlob({ repository: "a", descriptor, open: (start) => source(start, 1000) });
    await expect(short).rejects.toThrow(failureWith("image-invalid", descriptor.digest));
    expect(registry.blobs.size).toBe(0);
  });

  it("go to another place when the registry says so, without the credential", async () => {
    await using other = await FakeRegistry.start();
    const seen: (string | undefined)[] = [];
    other.intervene = (request, response) => {
      seen.push(request.headers.authorization);
      request.resume().on("end", () => response.writeHead(201).end());
      return true;
    };
    const location = `http://127.0.0.1:${other.host.split(":")[1]}/elsewhere`;
    registry.intervene = async (...call) =>
      (await guarded("Basic realm=x", basic)(...call)) || answer(202, { location })(...call);
    await open({ search: somebody }).pushBlob({ repository: "a", ...blobOf(content) });
    expect(seen).toEqual([undefined]);
  });

  it("come back verified, taken up after a break", async () => {
    registry.putBlob("a", content);
    registry.intervene = times(1, /^GET/, (_, response) => {
      response.writeHead(200, { "content-length": content.length });
      response.write(content.subarray(0, 1234), () => response.destroy());
      return true;
    });
    expect(await buffer(open().getBlob("a", descriptor))).toEqual(content);
    registry.blobs.set(`a ${descriptor.digest}`, Buffer.alloc(content.length));
    await expect(buffer(open().getBlob("a", descriptor))).rejects.toThrow(
      failureWith("registry-failed", registry.host),
    );
  });

  it("are pulled from one registry while they are pushed to another", async () => {
    await using other = await FakeRegistry.start();
    other.putBlob("base", content);
    const source = open({}, other.host).blobSource("base", descriptor);
    await open().pushBlob({ repository: "a", descriptor, open: source });
    expect(registry.blobs.get(`a ${descriptor.digest}`)).toEqual(content);
  });
});

describe("the repositories of a registry", () => {
  it("are listed page by page", async () => {
    const link = '</v2/_catalog?last=b>; rel="next"';
    registry.intervene = (...call) =>
      call[0].url === "/v2/_catalog"
        ? answer(200, { link }, '{"repositories":["a","b"]}')(...call)
        : answer(200, {}, '{"repositories":["c"]}')(...call);
    expect(await open().listRepositories()).toEqual(["a", "b", "c"]);
  });

  it("are not known where it does not say, or not to this user", async () => {
    expect(await open().listRepositories()).toBeUndefined();
    registry.intervene = times(9, /_catalog/, answer(401, { "www-authenticate": 'Basic realm="r"' }));
    expect(await open().listRepositories()).toBeUndefined();
  });
});

it.each(["https://a.b", "a.b/c", "", "a b"])("openRegistry refuses %j by name", (name) => {
  expect(() => openRegistry(name)).toThrow(userErrorWith("reference-invalid", name));
});

function emptyManifest() {
  const config = { mediaType: mediaTypes.empty, digest: sha256("{}"), size: 2 };
  return { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: [] };
}
