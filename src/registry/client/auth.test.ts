import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { exitStatusOf } from "../../core/errors.ts";
import { failureWith, userErrorWith } from "../../core/testdata/reported.ts";
import type { CredentialSearch } from "../../credentials/credential.ts";
import { sha256 } from "../../oci/digest.ts";
import { hintsIn } from "./hints.ts";
import { FakeRegistry, type Intervention } from "./testdata/fake-registry.ts";
import {
  answer,
  basic,
  failure,
  guarded,
  open,
  registry,
  somebody,
  times,
  useRegistry,
  where,
} from "./testdata/harness.ts";
import { blobOf } from "./testdata/images.ts";

useRegistry();

describe("authentication", () => {
  it("by Basic is answered once asked for, and from then on given at once", async () => {
    registry.intervene = guarded('Basic realm="x"', basic);
    const client = open({ search: somebody });
    await client.headManifest("a", "v1");
    await client.headManifest("a", "v1");
    expect(registry.seen.map((each) => each.authorization)).toEqual([undefined, basic, basic]);
  });

  it("that is refused names the registry, where the credential came from, and not the credential", async () => {
    registry.intervene = guarded("Basic realm=x", "Basic other");
    const error = await failure(open({ search: somebody }).headManifest("a", "v1"));
    expect(error).toEqual(userErrorWith("registry-login", registry.host));
    expect(error.message).toContain("the credential from /home/x");
    expect(error.message).not.toMatch(/geheim|Z2VoZWlt/);
    expect(exitStatusOf(error)).toBe(2);
    expect(registry.seen.length).toBe(2);
  });

  it("by a registry's own token is answered with it, and asks no token service", async () => {
    registry.intervene = guarded('Bearer realm="https://nobody.invalid/token"', "Bearer ticket");
    const search: CredentialSearch = { ...somebody, credential: { kind: "registry-token", token: "ticket" } };
    await open({ search }).headManifest("a", "v1");
    expect(registry.seen.map((each) => each.authorization)).toEqual([undefined, "Bearer ticket"]);
  });

  it("brings the header fields of the configuration, to the registry itself alone", async () => {
    await using elsewhere = await FakeRegistry.start();
    const seen: (string | string[] | undefined)[] = [];
    const note: Intervention = (request) => {
      seen.push(request.headers["x-team"]);
      return false;
    };
    elsewhere.intervene = note;
    registry.intervene = async (...call) => {
      await note(...call);
      if (await guarded("Basic realm=x", basic)(...call)) return true;
      return answer(307, { location: `${elsewhere.url}/v2/a/manifests/v1` })(...call);
    };
    await open({ search: { ...somebody, headers: { "x-team": "blue" } } }).headManifest("a", "v1");
    expect(seen).toEqual([undefined, "blue", undefined]);
  });

  it("that is refused in the middle is given once more, and then no more", async () => {
    registry.intervene = guarded("Basic realm=x", basic);
    const client = open({ search: somebody });
    await client.headManifest("a", "v1");
    const refusal = answer(401, { "www-authenticate": "Basic realm=x" });
    registry.intervene = times(1, /./, refusal);
    expect(await client.headManifest("a", "v1")).toBeUndefined();
    registry.seen.length = 0;
    registry.intervene = times(5, /./, refusal);
    await expect(client.headManifest("a", "v1")).rejects.toThrow(userErrorWith("registry-login", registry.host));
    expect(registry.seen.length).toBe(2);
  });

  it("without a credential says where it was looked for and what kept it from being read", async () => {
    registry.intervene = guarded("Basic realm=x", "Basic other");
    const search = { searched: ["/a/auth.json"], problems: ["/a/auth.json: it is not JSON."] };
    const error = await failure(open({ search }).headManifest("a", "v1"));
    expect(error.message).toMatch(
      /asked anonymously\. \/a\/auth.json: it is not JSON\.\nLog in .* Looked in: \/a\/auth.json/,
    );
  });

  describe("by token", () => {
    let issued: string[];
    let asked: { path: string; authorization: string | undefined; body: string }[];
    let lifetime: number | undefined;
    let key: "token" | "access_token";

    beforeEach(() => {
      issued = [];
      asked = [];
      lifetime = 300;
      key = "token";
      registry.intervene = async (request, response) => {
        if (request.url?.startsWith("/token")) {
          let body = "";
          for await (const chunk of request) body += chunk;
          asked.push({ path: request.url, authorization: request.headers.authorization, body });
          issued.push(`t${issued.length + 1}`);
          response.end(JSON.stringify({ [key]: issued.at(-1), expires_in: lifetime }));
          return true;
        }
        if (request.headers.authorization === `Bearer ${issued.at(-1)}`) return false;
        request.resume();
        const challenge = `Bearer realm="${registry.url}/token",service="s",scope="repository:a:pull"`;
        response.writeHead(401, { "www-authenticate": challenge }).end();
        return true;
      };
    });

    it("fetches one token for many requests at once", async () => {
      key = "access_token";
      const client = open({ search: somebody });
      await client.headManifest("a", "v0");
      await Promise.all(["v1", "v2", "v3"].map((tag) => client.headManifest("a", tag)));
      expect(asked).toEqual([
        { path: "/token?service=s&scope=repository%3Aa%3Apull&account=u", authorization: basic, body: "" },
      ]);
      expect(registry.seen.length).toBe(1 + 1 + 1 + 3);
    });

    it("fetches an anonymous one where no credential is known", async () => {
      await open().headManifest("a", "v1");
      expect(asked[0]?.authorization).toBeUndefined();
    });

    it("exchanges an identity token by OAuth2", async () => {
      const search: CredentialSearch = { ...somebody, credential: { kind: "identity-token", token: "refresh" } };
      await open({ search }).headManifest("a", "v1");
      expect(asked[0]).toMatchObject({ path: "/token", authorization: undefined });
      expect(asked[0]?.body).toBe(
        "grant_type=refresh_token&client_id=slipway&service=s&scope=repository%3Aa%3Apull&refresh_token=refresh",
      );
    });

    it("fetches another when one is refused in the middle, once for all who wait", async () => {
      const client = open();
      await client.headManifest("a", "v1");
      issued.push("revoked all before");
      await Promise.all(["v1", "v2", "v3"].map((tag) => client.headManifest("a", tag)));
      expect(asked.length).toBe(2);
    });

    it("renews one before it ends", async () => {
      lifetime = 0.001;
      const client = open();
      await client.headManifest("a", "v1");
      const before = Date.now();
      while (Date.now() < before + 2);
      await client.headManifest("a", "v1");
      expect(asked.length).toBe(2);
      expect(registry.log.filter((each) => each.startsWith("HEAD")).length).toBe(3);
    });

    it("asks for both repositories of a mount", async () => {
      registry.putBlob("base", Buffer.from("x"));
      await open().pushBlob({ repository: "a", ...blobOf(Buffer.from("x")), mountFrom: "base" });
      expect(new URL(asked[0]?.path ?? "", registry.url).searchParams.getAll("scope")).toEqual([
        "repository:a:pull,push",
        "repository:base:pull",
      ]);
    });
  });

  it.each([
    "http://example.com/token",
    "https://attacker.example/token",
    "https://u:p@example.com/token",
    "javascript:alert(1)",
    "token",
  ])("gives nothing to the token service %s", async (realm) => {
    registry.intervene = answer(401, { "www-authenticate": `Bearer realm="${realm}"` });
    await expect(open({ search: somebody }).headManifest("a", "v1")).rejects.toThrow(
      userErrorWith("token-service-untrusted", registry.host),
    );
    expect(registry.seen.length).toBe(1);
  });

  it.each([
    ["another origin", (other: FakeRegistry) => `http://127.0.0.1:${other.host.split(":")[1]}/blob`],
    ["the same origin", () => `${registry.url}/blob`],
  ])("does not go along with a redirect to %s", async (_, target) => {
    await using other = await FakeRegistry.start();
    const seen: (string | undefined)[] = [];
    const content = Buffer.from("content");
    const give = where(/^GET \/blob$/, (request, response) => {
      seen.push(request.headers.authorization);
      response.end(content);
      return true;
    });
    other.intervene = give;
    registry.intervene = async (...call) =>
      (await give(...call)) ||
      (await guarded("Basic realm=x", basic)(...call)) ||
      answer(307, { location: target(other) })(...call);
    const blob = open({ search: somebody }).getBlob("a", { digest: sha256(content), size: content.length });
    expect(await buffer(blob)).toEqual(content);
    expect(seen).toEqual([undefined]);
  });

  it.each(["http://example.com/x", "/v2/a/manifests/v1", "http://["])(
    "of a redirect to %s never happens",
    async (location) => {
      registry.intervene = answer(302, { location });
      await expect(open().headManifest("a", "v1")).rejects.toThrow(failureWith("registry-failed", registry.host));
    },
  );
});

describe("what a registry asked for before", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "slipway-hints-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  });
  const later = (search: CredentialSearch = somebody) => open({ search, hints: hintsIn({ XDG_STATE_HOME: folder }) });
  const kept = () => readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());

  it("makes a request with a password one request in later runs", async () => {
    registry.intervene = guarded("Basic realm=x", basic);
    await later().headManifest("a", "v1");
    expect(registry.seen.length).toBe(2);
    await later().headManifest("a", "v1");
    expect(registry.seen.slice(2).map((each) => each.authorization)).toEqual([basic]);
  });

  it("makes a request with a token two, and no secret is kept", async () => {
    const challenge = `Bearer realm="${registry.url}/token",service="s",scope="repository:a:pull"`;
    const issue = where(/^GET \/token/, answer(200, {}, JSON.stringify({ token: "geheimes-token" })));
    registry.intervene = async (...call) =>
      (await issue(...call)) || guarded(challenge, "Bearer geheimes-token")(...call);
    await later().headManifest("a", "v1");
    await later().headManifest("b", "v1");
    expect(registry.log.slice(3)).toEqual(["GET /token", "HEAD /v2/b/manifests/v1"]);
    expect(registry.seen[3]?.path).toContain("scope=repository%3Ab%3Apull&");
    const [file] = kept();
    const path = join(file?.parentPath ?? "", file?.name ?? "");
    expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({
      scheme: "bearer",
      parameters: { realm: `${registry.url}/token`, service: "s" },
    });
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("is forgotten when it does not hold any more", async () => {
    hintsIn({ XDG_STATE_HOME: folder }).write(registry.url, {
      scheme: "bearer",
      parameters: { realm: "https://attacker.example/token" },
    });
    expect(await later().headManifest("a", "v1")).toBeUndefined();
    expect(registry.seen.map((each) => each.authorization)).toEqual([undefined]);
  });

  it.each(["", "{", "null", '{"scheme":"negotiate"}', '{"scheme":"bearer","parameters":{"realm":5}}'])(
    "that is damaged (%j) is of no importance",
    async (text) => {
      hintsIn({ XDG_STATE_HOME: folder }).write(registry.url, { scheme: "basic", parameters: {} });
      const [file] = kept();
      writeFileSync(join(file?.parentPath ?? "", file?.name ?? ""), text);
      expect(await later().headManifest("a", "v1")).toBeUndefined();
    },
  );
});

describe("a registry that says back the secret", () => {
  const token = "geheimes-token";
  const guard =
    (refuse: (response: ServerResponse) => void): Intervention =>
    (request, response) => {
      if (request.headers.authorization === basic) refuse(response);
      else response.writeHead(401, { "www-authenticate": "Basic realm=x" }).end();
      return true;
    };
  const said = (message: string, code = "DENIED") => JSON.stringify({ errors: [{ code, message }] });

  it.each<[string, (response: ServerResponse) => void]>([
    ["in its words", (response) => response.writeHead(403).end(said("no: geheim is not right"))],
    ["far down in its words", (response) => response.writeHead(403).end(said(`${"x".repeat(297)}geheim`))],
    ["in its code", (response) => response.writeHead(400).end(said("no", "geheim"))],
    ["as it was encoded", (response) => response.writeHead(500).end(said(basic))],
    ["in a challenge", (response) => response.writeHead(401, { "www-authenticate": 'Basic realm="geheim"' }).end()],
    [
      "in a realm",
      (response) => response.writeHead(401, { "www-authenticate": 'Bearer realm="https://geheim.a/"' }).end(),
    ],
    ["in a redirect", (response) => response.writeHead(307, { location: "http://geheim.example/" }).end()],
  ])("%s does not bring it into an error", async (_, refuse) => {
    registry.intervene = guard(refuse);
    const error = await failure(open({ search: somebody }).getManifest("a", "v1"));
    expect(error.message).toMatch(/^Registry localhost/);
    expect(error.message).not.toMatch(/geheim|Z2VoZWlt|dTpnZW/);
  });

  it("that is a token does not bring it into an error", async () => {
    registry.intervene = (request, response) => {
      if (request.url?.startsWith("/token")) response.end(JSON.stringify({ token }));
      else if (request.headers.authorization) response.writeHead(403).end(said(`bad token ${token}`));
      else response.writeHead(401, { "www-authenticate": `Bearer realm="${registry.url}/token"` }).end();
      return true;
    };
    const error = await failure(open({ search: somebody }).headManifest("a", "v1"));
    expect(error).toEqual(userErrorWith("registry-login", registry.host));
    const got = await failure(open({ search: somebody }).getManifest("a", "v1"));
    expect(got.message).toContain("answered 403 DENIED (redacted");
    expect(got.message).not.toContain(token);
  });
});
