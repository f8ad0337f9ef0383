import { buffer } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import type { ErrorCode } from "../../core/error-codes.ts";
import { failureWith, userErrorWith } from "../../core/testdata/reported.ts";
import { sha256 } from "../../oci/digest.ts";
import { findReferrers } from "../referrers.ts";
import type { RegistryClient } from "./client.ts";
import { fetchManifest } from "./fetch-manifest.ts";
import type { Intervention } from "./testdata/fake-registry.ts";
import { answer, failure, open, registry, somebody, useRegistry } from "./testdata/harness.ts";
import { blobOf, quickRetry } from "./testdata/images.ts";

useRegistry();

const digest = sha256("x");
const blob = blobOf(Buffer.from("x"));
const manifest = (client: RegistryClient): Promise<unknown> => client.getManifest("team/app", "v1");
const fetched = (client: RegistryClient): Promise<unknown> => fetchManifest(client, "team/app", "v1");
const byDigest = (client: RegistryClient): Promise<unknown> => client.getManifest("team/app", digest);
const tags = (client: RegistryClient): Promise<unknown> => client.listTags("team/app");
const referrers = (client: RegistryClient): Promise<unknown> => client.referrers("team/app", digest);
const download = (client: RegistryClient): Promise<unknown> => buffer(client.getBlob("team/app", { digest, size: 1 }));
const upload = (client: RegistryClient): Promise<unknown> => client.pushBlob({ repository: "team/app", ...blob });
const put = (client: RegistryClient): Promise<unknown> =>
  client.putManifest("team/app", "v1", Buffer.from("{}"), "application/json");

const ok = (body: string, headers: Record<string, string> = {}) => answer(200, headers, body);
const says = (code: unknown, message: unknown) => answer(400, {}, JSON.stringify({ errors: [{ code, message }] }));
const challenged = (challenge: string) => answer(401, { "www-authenticate": challenge });

/** A registry that wants tokens, and a token service that answers so. */
const token =
  (...given: Parameters<typeof answer>): Intervention =>
  (request, response, seen) => {
    const realm = `Bearer realm="${registry.url}/token",service="s"`;
    return (request.url?.startsWith("/token") ? answer(...given) : challenged(realm))(request, response, seen);
  };
const issued = (body: unknown) => token(200, {}, typeof body === "string" ? body : JSON.stringify(body));

type Case = [string, Intervention, (client: RegistryClient) => Promise<unknown>, ErrorCode, RegExp?];

/** Sends this without end, a byte at a time. */
const drip =
  (text: string): Intervention =>
  (request, response) => {
    request.resume();
    response.write(text);
    const timer = setInterval(() => response.write(" "), 5);
    response.on("close", () => clearInterval(timer));
    return true;
  };

const config = (client: RegistryClient): Promise<unknown> =>
  client.readBlob("team/app", { digest, size: 1_000_000 }, "configuration");

describe("an answer without end is over soon:", () => {
  it.each<[string, Intervention, (client: RegistryClient) => Promise<unknown>, RegExp]>([
    [
      "a manifest that drips",
      drip("{"),
      manifest,
      /an answer that did not end within 0.1 s while fetching manifest v1 in/,
    ],
    ["a list that drips", drip("{"), tags, /did not end within 0.1 s while listing tags in team\/app/],
    ["a configuration that drips", drip("{"), config, /0\.1 s while downloading blob sha256:/],
    [
      "a blob that drips",
      drip("{"),
      (client) => buffer(client.getBlob("team/app", { digest, size: 1_000_000 })),
      /sent only \d+ bytes in 0.1 s while downloading blob sha256:\w+ in team\/app/,
    ],
    [
      "a token that drips",
      (...call) => (call[0].url?.startsWith("/token") ? drip("{")(...call) : issued("")(...call)),
      manifest,
      /did not end within 0.1 s while asking the token service/,
    ],
    [
      "tags of pages without end",
      (...call) => {
        const next = Number(/last=(\d+)/.exec(call[0].url ?? "")?.[1] ?? 0) + 1;
        return ok('{"tags":[]}', { link: `</v2/team/app/tags/list?last=${next}>; rel="next"` })(...call);
      },
      tags,
      /did not end after \d+ pages while listing tags in/,
    ],
    [
      "pages of a fast registry",
      (...call) => {
        const next = Number(/last=(\d+)/.exec(call[0].url ?? "")?.[1] ?? 0) + 1;
        return ok('{"tags":[]}', { link: `</v2/team/app/tags/list?last=${next}>; rel="next"` })(...call);
      },
      tags,
      /did not end after 2000 pages while listing tags in/,
    ],
    [
      "tags without end",
      (...call) => {
        const next = Number(/last=(\d+)/.exec(call[0].url ?? "")?.[1] ?? 0) + 1;
        const link = `</v2/team/app/tags/list?last=${next}>; rel="next"`;
        return ok(JSON.stringify({ tags: ["x".repeat(15 << 20)] }), { link })(...call);
      },
      (client) => client.listTags("team/app"),
      /has more than 8388608 bytes while listing tags in/,
    ],
  ])("%s", async (_, intervene, act, words) => {
    registry.intervene = intervene;
    const answerTimeout = /8388608|2000/.test(words.source) ? 60_000 : 100;
    const error = await failure(act(open({ search: somebody, answerTimeout })));
    expect(error).toEqual(failureWith("registry-failed", registry.host));
    expect(error.message).toMatch(words);
  });

  it("a blob of which each attempt gives a byte", async () => {
    registry.intervene = (request, response) => {
      response.writeHead(206, { "content-length": "1000" }).write("x", () => request.socket.destroy());
      return true;
    };
    const error = await failure(buffer(open().getBlob("team/app", { digest, size: 1000 })));
    expect(error).toEqual(userErrorWith("registry-unreachable", registry.host));
    expect(registry.seen.length).toBeLessThan(20);
  });

  it.each([
    ["1000000000", 1],
    ["1e999", 20],
    ["-1", 20],
    ["Fri, 31 Dec 9999 23:59:59 GMT", 1],
  ])("a registry that asks to come back in %s is not waited for", async (after, requests) => {
    registry.intervene = answer(503, { "retry-after": after });
    const error = await failure(manifest(open()));
    expect(error).toEqual(failureWith("registry-failed", registry.host));
    expect(registry.seen.length).toBeLessThanOrEqual(requests);
  });

  it("an error that drips is told without its words", async () => {
    registry.intervene = (request, response, seen) => {
      response.statusCode = 400;
      return drip('{"errors":[')(request, response, seen);
    };
    const error = await failure(manifest(open({ answerTimeout: 100 })));
    expect(error).toEqual(failureWith("registry-refused", registry.host));
  });

  it("header fields that drip are no answer", async () => {
    registry.intervene = (request) => {
      request.socket.write("HTTP/1.1 200 OK\r\nx: ");
      const timer = setInterval(() => request.socket.write("x"), 5);
      request.socket.on("close", () => clearInterval(timer));
      return true;
    };
    const retry = { ...quickRetry, attempts: 1 };
    const error = await failure(manifest(open({ firstAnswerTimeout: 100, retry })));
    expect(error).toEqual(userErrorWith("registry-unreachable", registry.host));
    expect(error.message).toMatch(/no whole answer was heard/);
  });

  it("a configuration that is too large is not asked for", async () => {
    const image = `${registry.host}/team/app@${digest}`;
    const error = await failure(open().readBlob("team/app", { digest, size: 15e9 }, "configuration (`config`)", image));
    expect(error).toEqual(userErrorWith("image-unsuitable", image));
    expect(error.message).toContain(`The configuration (\`config\`) of ${image} has 15000000000 bytes`);
    expect(registry.seen).toEqual([]);
  });
});

/** Sends this as it is, in place of HTTP by Node. */
const raw =
  (text: string): Intervention =>
  (request) => {
    request.socket.end(text);
    return true;
  };
const head = "HTTP/1.1 200 OK\r\n";

describe("a hostile answer is refused, and nothing goes elsewhere:", () => {
  it.each<Case>([
    [
      "informational answers without end",
      raw("HTTP/1.1 102 Processing\r\n\r\n".repeat(50_000)),
      manifest,
      "registry-unreachable",
    ],
    [
      "a chunk of a size beyond numbers",
      raw(`${head}transfer-encoding: chunked\r\n\r\n${"f".repeat(40)}\r\n`),
      manifest,
      "registry-unreachable",
    ],
    [
      "a chunk of a negative size",
      raw(`${head}transfer-encoding: chunked\r\n\r\n-1\r\n`),
      manifest,
      "registry-unreachable",
    ],
    ["two lengths", raw(`${head}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`), manifest, "registry-unreachable"],
    ["header fields without end", raw(`${head}${"x: y\r\n".repeat(100_000)}`), manifest, "registry-unreachable"],
    [
      "a challenge of 15 KB",
      challenged(`Bearer realm="https://${"a".repeat(15_000)}.example/"`),
      manifest,
      "token-service-untrusted",
    ],
    ["a realm of a file", challenged('Bearer realm="file:///etc/passwd"'), manifest, "token-service-untrusted"],
    [
      "a realm with a password",
      challenged('Bearer realm="https://u:p@localhost/"'),
      manifest,
      "token-service-untrusted",
    ],
    ["a redirect to a file", answer(307, { location: "file:///etc/passwd" }), manifest, "registry-failed"],
    ["a redirect to data", answer(307, { location: "data:,{}" }), manifest, "registry-failed"],
    [
      "a redirect to plain HTTP elsewhere",
      answer(307, { location: "http://169.254.169.254/latest" }),
      manifest,
      "registry-failed",
    ],
    ["an upload to a file", answer(202, { location: "file:///etc/passwd" }), upload, "registry-failed"],
    [
      "an upload to a metadata service",
      answer(202, { location: "http://169.254.169.254/latest" }),
      upload,
      "registry-failed",
    ],
    ["a packed manifest", ok("\u001f\u008b".repeat(100), { "content-encoding": "gzip" }), fetched, "image-invalid"],
    [
      "a digest of another kind",
      ok("{}", { "docker-content-digest": `sha512:${"0".repeat(128)}` }),
      manifest,
      "registry-failed",
    ],
    [
      "sizes beyond numbers",
      ok(`{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"${digest}","size":1e400},"layers":[]}`),
      fetched,
      "image-invalid",
    ],
    [
      "negative sizes",
      ok(`{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"${digest}","size":-1},"layers":[]}`),
      fetched,
      "image-invalid",
    ],
    [
      "half bytes",
      ok(`{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"${digest}","size":1.5},"layers":[]}`),
      fetched,
      "image-invalid",
    ],
    [
      "an image that is an index",
      ok('{"schemaVersion":2,"manifests":[],"config":{},"layers":[]}'),
      fetched,
      "image-invalid",
    ],
    [
      "an index that came as an image",
      ok('{"schemaVersion":2,"manifests":[]}', { "content-type": "application/vnd.oci.image.manifest.v1+json" }),
      fetched,
      "image-invalid",
    ],
    [
      "a digest that is a path",
      ok('{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"sha256:../../etc/passwd","size":1},"layers":[]}'),
      fetched,
      "image-invalid",
    ],
  ])("%s", async (_, intervene, act, code) => {
    registry.intervene = intervene;
    const error = await failure(act(open({ search: somebody })));
    expect(error).toMatchObject({ code });
    expect(error.message).not.toMatch(/geheim|\p{Cc}(?<!\n)/u);
    expect(registry.seen.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
  });

  it("a next page elsewhere is asked for here, so that nobody else gets the credential", async () => {
    let pages = 0;
    registry.intervene = (...call) =>
      ok(
        '{"tags":["v1"]}',
        pages++ === 0 ? { link: '<https://a.example/v2/team/app/tags/list?last=v1>; rel="next"' } : {},
      )(...call);
    expect(await open({ search: somebody }).listTags("team/app")).toEqual(["v1", "v1"]);
    expect(registry.seen.map(({ path }) => path)).toEqual(["/v2/team/app/tags/list", "/v2/team/app/tags/list?last=v1"]);
  });

  it("annotations named __proto__ change nothing", async () => {
    const config = `{"mediaType":"a/b","digest":"${digest}","size":1}`;
    registry.intervene = ok(`{"schemaVersion":2,"config":${config},"layers":[],"annotations":{"__proto__":"x"}}`);
    await fetchManifest(open(), "team/app", "v1");
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
  });

  it("referrers of referrers without end are stopped at one of them", async () => {
    let count = 0;
    registry.intervene = (...call) => {
      if (!/referrers/.test(call[0].url ?? "")) return answer(404)(...call);
      const manifests = [
        { mediaType: "application/vnd.oci.image.manifest.v1+json", digest: sha256(`${count++}`), size: 1 },
      ];
      return ok(JSON.stringify({ schemaVersion: 2, manifests }))(...call);
    };
    const error = await failure(findReferrers(open(), "team/app", digest));
    expect(error).toMatchObject({ code: "image-invalid" });
    expect(error.message).toMatch(/team\/app@sha256:\w+ is one of more than 1000 artifacts/);
  });
});

describe("an answer that makes no sense is one sentence that names the registry, and one about what to do:", () => {
  it.each<Case>([
    ["no challenge", answer(401), manifest, "registry-login", /asked anonymously/],
    ["an empty challenge", challenged(""), manifest, "registry-login"],
    ["only commas", challenged(" , ,"), manifest, "registry-login"],
    ["an unknown scheme", challenged("Negotiate"), manifest, "registry-login", /negotiate authentication/],
    ["two unknown schemes", challenged('Digest realm="x", NTLM'), manifest, "registry-login", /digest, ntlm/],
    ["no realm", challenged('Bearer service="s"'), manifest, "registry-failed"],
    ["a realm that is cut off", challenged('Bearer realm="https://a'), manifest, "registry-login"],
    ["an empty realm", challenged('Bearer realm=""'), manifest, "registry-failed"],
    ["a realm that is no URL", challenged('Bearer realm="auth"'), manifest, "token-service-untrusted"],
    ["a realm without TLS", challenged('Bearer realm="http://a.example/"'), manifest, "token-service-untrusted"],
    ["a realm elsewhere", challenged('Bearer realm="https://a.example/"'), manifest, "token-service-untrusted"],
    ["a realm with escapes", challenged('Bearer realm="https://\\a\u009b31m"'), manifest, "token-service-untrusted"],
    ["a token that is no JSON", issued("<html>"), manifest, "registry-failed"],
    ["a token that is null", issued("null"), manifest, "registry-failed"],
    ["a token that is a list", issued([]), manifest, "registry-failed"],
    ["a token that is missing", issued({ expires_in: 5 }), manifest, "registry-failed"],
    ["a token that is empty", issued({ token: "" }), manifest, "registry-failed"],
    ["a token that is a number", issued({ token: 5 }), manifest, "registry-failed"],
    ["a token of two lines", issued({ token: "a\r\nx: y" }), manifest, "registry-failed"],
    ["a token that helps nothing", issued({ token: "t" }), manifest, "registry-login"],
    ["a token service that says no", token(403), manifest, "registry-login", /the credential from \/home/],
    ["a token service that moved", token(302, { location: "https://a.example/" }), manifest, "registry-failed"],
    ["a token service that is broken", token(503, { "retry-after": "100" }), manifest, "registry-failed"],
    ["an endless token", token(200, {}, "x".repeat(2 << 20)), manifest, "registry-failed", /1048576/],
    ["another manifest", ok("{}"), byDigest, "registry-failed"],
    ["an endless manifest", ok("x".repeat(9 << 20)), manifest, "registry-failed", /4194304/],
    ["another digest", ok("{}", { "docker-content-digest": digest }), manifest, "registry-failed"],
    ["a stored manifest by another name", answer(201, { "docker-content-digest": digest }), put, "registry-failed"],
    ["a manifest that is no text", ok('{"a":\u001b[2J'), fetched, "image-invalid"],
    ["tags that are no JSON", ok("<html>"), tags, "registry-failed"],
    ["tags that are no list", ok('{"tags":{"a":1}}'), tags, "registry-failed"],
    ["tags that are no texts", ok('{"tags":[1]}'), tags, "registry-failed"],
    ["tags without end", ok('{"tags":[]}', { link: '</v2/team/app/tags/list>; rel="next"' }), tags, "registry-failed"],
    ["referrers that are no index", ok('{"manifests":{}}'), referrers, "image-invalid"],
    ["another blob", ok("y"), download, "registry-failed"],
    ["a blob that is too short", ok(""), download, "registry-failed"],
    ["an upload without room", answer(507), upload, "registry-full"],
    ["an upload of that size", answer(413), upload, "registry-refused"],
    ["an upload that goes nowhere", answer(202, { location: "http://[" }), upload, "registry-failed"],
    ["an upload without TLS", answer(202, { location: "http://a.example/" }), upload, "registry-failed"],
    ["a status of its own", answer(299), manifest, "registry-failed"],
    ["a refusal", answer(400), manifest, "registry-refused"],
    [
      "words that move the cursor",
      says("A", "\u001b[2J\r\nb"),
      manifest,
      "registry-refused",
      /400 A \(\\u001b\[2J\\r\\nb\)/,
    ],
    ["words without end", says("", "x".repeat(5000)), manifest, "registry-refused", /\(x{300}\)/],
    ["words that are no text", says({}, [1]), manifest, "registry-refused", /answered 400 while/],
    ["words that are no JSON", answer(400, {}, "<html>"), manifest, "registry-refused", /answered 400 while/],
    ["words that are half", answer(400, {}, '{"errors":['), manifest, "registry-refused", /answered 400 while/],
    ["a redirect without end", answer(307, { location: "/v2/team/app/manifests/v1" }), manifest, "registry-failed"],
    ["a redirect to nowhere", answer(307, { location: "http://[" }), manifest, "registry-failed"],
    ["a redirect without a place", answer(307), manifest, "registry-failed"],
  ])("%s", async (name, intervene, act, code, words = /./) => {
    registry.intervene = intervene;
    const error = await failure(act(open({ search: somebody })));
    // A page that lists no tags is another server's: the user named it.
    const isUsers = code === "registry-failed" ? /^tags that/.test(name) : !/^(a refusal|words )/.test(name);
    const matching = isUsers ? userErrorWith : failureWith;
    expect(error).toEqual(matching(code, code === "image-invalid" ? undefined : registry.host));
    const [sentence = "", remedy = "", ...more] = error.message.split("\n");
    expect(sentence).toMatch(words);
    expect(sentence).toMatch(new RegExp(registry.host));
    expect(sentence).toMatch(/\.$/);
    expect(remedy).toMatch(/\.$/);
    expect(more).toEqual([]);
    expect(error.message).not.toMatch(/geheim|\p{Cc}(?<!\n)/u);
  });
});
