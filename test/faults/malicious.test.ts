import { createServer, type IncomingHttpHeaders } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { userErrorWith } from "../../src/core/testdata/reported.ts";
import { sha256 } from "../../src/oci/digest.ts";
import { openRegistry } from "../../src/registry/client/open.ts";
import { blobOf, quickRetry } from "../../src/registry/client/testdata/images.ts";
import { listen } from "../../src/registry/client/testdata/listen.ts";
import { user } from "../registries/testdata/suite.ts";
import { basic } from "./testdata/suite.ts";

const culprit = "registry.example";

interface Heard {
  readonly host: string;
  readonly what: string;
  readonly headers: IncomingHttpHeaders;
}

/** What one of the hosts answers: status, headers. */
type Answer = readonly [number, Record<string, string>];

/**
 * A whole network: a proxy that is every host, and hears everything that is said in plain text, and to whom TLS was to
 * be spoken.
 */
async function network(answer: (heard: Heard) => Answer) {
  const heard: Heard[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "");
    const each = { host: url.host, what: `${request.method} ${url.pathname}${url.search}`, headers: request.headers };
    heard.push(each);
    request.resume();
    const [status, headers] = answer(each);
    response.writeHead(status, headers).end();
  });
  server.on("connect", (request, socket) => {
    heard.push({ host: request.url ?? "", what: "CONNECT", headers: request.headers });
    socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
  });
  const proxy = `http://127.0.0.1:${await listen(server)}`;
  const client = openRegistry("registry.example", {
    settings: { plainHttp: true },
    env: { HTTP_PROXY: proxy, HTTPS_PROXY: proxy },
    findCredential: async () => user,
    retry: { ...quickRetry, attempts: 2 },
  });
  onTestFinished(() => client.close());
  return { heard, client };
}

const challenge: Answer = [401, { "www-authenticate": 'Basic realm="x"' }];
const blob = blobOf(Buffer.from("x"));

/** Nobody but the registry itself got anything that proves who we are. */
function expectNothingGiven(heard: readonly Heard[]): void {
  const others = heard.filter(({ host }) => host !== "registry.example");
  for (const { what, headers } of others) {
    expect(Object.keys(headers).filter((name) => /auth|cookie/.test(name))).toEqual([]);
    expect(what).not.toMatch(/geheim|Z2VoZWlt/);
  }
}

describe("a registry that wants our credential to go elsewhere", () => {
  // The registry first asks for the password, as is its right, and gets it.
  const once401 = (then: Answer) => (each: Heard) =>
    each.host === "registry.example" ? (each.headers.authorization === basic ? then : challenge) : challenge;

  it.each([301, 302, 303, 307, 308])("by redirect %d to another host", async (status) => {
    for (const location of [
      "https://attacker.example/v2/a/manifests/v1",
      "http://attacker.example/v2/",
      "//attacker.example/",
      "https://registry.example.attacker.example/",
      "https://u:p@attacker.example/",
      "https://registry.example/on/another/port",
      "http://registry.example:81/",
    ]) {
      const { heard, client } = await network(once401([status, { location }]));
      for (const failing of [
        () => client.getManifest("a", "v1"),
        () => client.headManifest("a", "v1"),
        () => client.pushBlob({ repository: "a", ...blob }),
      ]) {
        await expect(failing()).rejects.toMatchObject({ code: expect.stringMatching(/^registry-/), culprit });
      }
      expect(heard.filter(({ headers }) => headers.authorization === basic).length).toBeGreaterThan(0);
      expectNothingGiven(heard);
    }
  });

  it.each([
    "https://attacker.example/token",
    "http://attacker.example/token",
    "https://registry.example.attacker.example/token",
    "https://registry.example@attacker.example/token",
    "https://xregistry.example/token",
    "http://registry.example.attacker.example/token",
    "https://127.0.0.1/token",
    "https://[::1]/token",
    "//attacker.example/token",
    "file:///etc/passwd",
  ])("by the token realm %s", async (realm) => {
    const { heard, client } = await network(() => [401, { "www-authenticate": `Bearer realm="${realm}",service="s"` }]);
    const failing = client.headManifest("a", "v1");
    await expect(failing).rejects.toMatchObject({ code: "token-service-untrusted", culprit });
    expect(heard.map(({ host }) => host)).toEqual(["registry.example"]);
    expectNothingGiven(heard);
  });

  it("by the location of an upload", async () => {
    const { heard, client } = await network((each) => {
      if (each.host !== "registry.example") return challenge;
      if (each.headers.authorization !== basic) return challenge;
      return [202, { location: "https://attacker.example/upload" }];
    });
    const failing = client.pushBlob({ repository: "a", ...blob });
    await expect(failing).rejects.toThrow(userErrorWith("registry-unreachable", culprit));
    expect(heard.some(({ host }) => host === "attacker.example:443")).toBe(true);
    expectNothingGiven(heard);
  });

  it("by the next page of a list", async () => {
    const { heard, client } = await network((each) =>
      each.headers.authorization === basic
        ? [200, { link: '<https://attacker.example/v2/a/tags/list?last=x>; rel="next"' }]
        : challenge,
    );
    await Promise.allSettled([client.listTags("a"), client.referrers("a", sha256("x"))]);
    expect(new Set(heard.map(({ host }) => host))).toEqual(new Set(["registry.example"]));
  });
});
