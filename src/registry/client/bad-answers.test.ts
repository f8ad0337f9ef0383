import { buffer } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { sha256 } from "../../oci/digest.ts";
import type { RegistryClient } from "./client.ts";
import { fetchManifest } from "./fetch-manifest.ts";
import type { Intervention } from "./testdata/fake-registry.ts";
import { answer, open, registry, somebody, useRegistry } from "./testdata/harness.ts";
import { blobOf } from "./testdata/images.ts";

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
const challenged = (challenge: string) => answer(401, { "www-authenticate": challenge });

/** A registry that wants tokens, and a token service that answers so. */
const token =
  (...given: Parameters<typeof answer>): Intervention =>
  (request, response, seen) => {
    const realm = `Bearer realm="${registry.url}/token",service="s"`;
    return (request.url?.startsWith("/token") ? answer(...given) : challenged(realm))(request, response, seen);
  };
const issued = (body: unknown) => token(200, {}, typeof body === "string" ? body : JSON.stringify(body));

type Case = readonly [string, Intervention, (client: RegistryClient) => Promise<unknown>, RegExp];

describe("an answer that makes no sense is one sentence that names the registry, and one about what to do:", () => {
  it.each<Case>([
    ["no challenge", answer(401), manifest, /answered 401 while .*asked anonymously/],
    ["an empty challenge", challenged(""), manifest, /answered 401/],
    ["only commas", challenged(" , ,"), manifest, /answered 401/],
    ["an unknown scheme", challenged("Negotiate"), manifest, /asks for negotiate authentication, which is not known/],
    ["two unknown schemes", challenged('Digest realm="x", NTLM'), manifest, /asks for digest, ntlm authentication/],
    ["no realm", challenged('Bearer service="s"'), manifest, /asks for a token and does not name the token service/],
    ["a realm that is cut off", challenged('Bearer realm="https://a'), manifest, /answered 401/],
    ["an empty realm", challenged('Bearer realm=""'), manifest, /asks for a token and does not name/],
    ["a realm that is no URL", challenged('Bearer realm="auth"'), manifest, /token service "auth", which is not a URL/],
    ["a realm without TLS", challenged('Bearer realm="http://a.example/"'), manifest, /not reached by https/],
    ["a realm of somebody else", challenged('Bearer realm="https://a.example/"'), manifest, /domain of somebody else/],
    [
      "a realm with escapes",
      challenged('Bearer realm="https://\\a.example/\u009b31m"'),
      manifest,
      /token service "https/,
    ],
    ["a token that is no JSON", issued("<html>"), manifest, /token service .* did not answer with JSON/],
    ["a token that is null", issued("null"), manifest, /answered without a usable token/],
    ["a token that is a list", issued([]), manifest, /answered without a usable token/],
    ["a token that is missing", issued({ expires_in: 5 }), manifest, /answered without a usable token/],
    ["a token that is empty", issued({ token: "" }), manifest, /answered without a usable token/],
    ["a token that is a number", issued({ token: 5 }), manifest, /answered without a usable token/],
    ["a token of two lines", issued({ token: "a\r\nx: y" }), manifest, /answered without a usable token/],
    ["a token that helps nothing", issued({ token: "t" }), manifest, /answered 401/],
    [
      "a token service that says no",
      token(403),
      manifest,
      /token service .* answered 403 for repository:team\/app:pull, asked with the credential from \/home/,
    ],
    ["a token service that is elsewhere now", token(302, { location: "https://a.example/" }), manifest, /answered 302/],
    ["a token service that is broken", token(503, { "retry-after": "100" }), manifest, /answered 503/],
    [
      "an endless token",
      token(200, {}, "x".repeat(2 << 20)),
      manifest,
      /more than 1048576 bytes while asking the token/,
    ],
    ["another manifest", ok("{}"), byDigest, /sent content of sha256:44136fa3.*, not sha256:/],
    ["an endless manifest", ok("x".repeat(9 << 20)), manifest, /sent more than \d+ bytes while fetching manifest v1/],
    ["another digest", ok("{}", { "docker-content-digest": digest }), manifest, /sent content of/],
    ["a stored manifest by another name", answer(201, { "docker-content-digest": digest }), put, /stored sha256:/],
    ["a manifest that is no text", ok('{"a":\u001b[2J'), fetched, /^Manifest sha256:\w+ of .*team\/app is not JSON: /],
    ["tags that are no JSON", ok("<html>"), tags, /Tag list of .*team\/app.* not JSON/],
    ["tags that are no list", ok('{"tags":{"a":1}}'), tags, /Tag list of .*: tags is not a list/],
    ["tags that are no texts", ok('{"tags":[1]}'), tags, /tags\[0\] is not a text/],
    [
      "tags without end",
      ok('{"tags":[]}', { link: '</v2/team/app/tags/list>; rel="next"' }),
      tags,
      /gives the same page again/,
    ],
    [
      "referrers that are no index",
      ok('{"manifests":{}}'),
      referrers,
      /List of what refers to sha256:\w+ in .*: schemaVersion is missing/,
    ],
    ["another blob", ok("y"), download, /sent a damaged blob from team\/app/],
    ["a blob that is too short", ok(""), download, /sent a damaged blob from team\/app/],
    ["an upload without room", answer(507), upload, /has no room left/],
    ["an upload of that size", answer(413), upload, /answered 413 .*takes no content of that size/],
    ["an upload that goes nowhere", answer(202, { location: "http://[" }), upload, /gave a location that is no URL/],
    [
      "an upload without TLS",
      answer(202, { location: "http://a.example/" }),
      upload,
      /location that is not reached by https/,
    ],
    ["a status of its own", answer(299), manifest, /answered 299 while fetching manifest v1/],
    [
      "words that move the cursor",
      answer(400, {}, '{"errors":[{"code":"A","message":"\\u001b[2J\\r\\nb"}]}'),
      manifest,
      /400 A \(\[2J b\)/,
    ],
    [
      "words without end",
      answer(400, {}, JSON.stringify({ errors: [{ message: "x".repeat(5000) }] })),
      manifest,
      /\(x{300}\)/,
    ],
    [
      "words that are no text",
      answer(400, {}, '{"errors":[{"code":{},"message":[1]}]}'),
      manifest,
      /answered 400 while/,
    ],
    ["words that are no JSON", answer(400, {}, "<html>"), manifest, /answered 400 while/],
    ["words that are half", answer(400, {}, '{"errors":['), manifest, /answered 400 while/],
    [
      "a redirect without end",
      answer(307, { location: "/v2/team/app/manifests/v1" }),
      manifest,
      /one redirect too many/,
    ],
    ["a redirect to nowhere", answer(307, { location: "http://[" }), manifest, /redirects to what is no URL/],
    ["a redirect without a place", answer(307), manifest, /answered 307/],
  ])("%s", async (_, intervene, act, problem) => {
    registry.intervene = intervene;
    const error = await act(open({ search: somebody })).then(
      () => expect.unreachable(),
      (error: Error) => error,
    );
    expect(error).toHaveProperty("exitStatus");
    const [sentence = "", remedy = "", ...more] = error.message.split("\n");
    expect(sentence).toMatch(problem);
    expect(sentence).toMatch(new RegExp(registry.host));
    expect(sentence).toMatch(/\.$/);
    expect(remedy).toMatch(/\.$/);
    expect(more).toEqual([]);
    expect(error.message).not.toMatch(/geheim|\p{Cc}(?<!\n)/u);
  });
});
