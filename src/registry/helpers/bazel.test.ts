import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { userErrorWith } from "../../core/testdata/reported.ts";
import { auth, Home } from "../../credentials/testdata/home.ts";
import { answer, registry, reset, useRegistry } from "../client/testdata/harness.ts";
import { bazelHelper } from "./bazel.ts";

useRegistry();

interface Answer {
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly expires?: string;
}

async function ask(home: Home, uri: string): Promise<Answer> {
  const stdin = Readable.from([Buffer.from(JSON.stringify({ uri }))]);
  return JSON.parse((await bazelHelper({ args: ["get"], stdin, env: home.env })).stdout);
}

const basic = (username: string) => `Basic ${Buffer.from(`${username}:p`).toString("base64")}`;
const kept = (username: string) => ({ kind: "stored", username, password: "p" }) as const;

describe("Bazel's protocol", () => {
  it("answers for downloads and git servers", async () => {
    const home = new Home();
    home.store(
      { service: "http", url: "https://files.example.com/private", source: kept("files") },
      { service: "git", url: "github.com", source: kept("git") },
    );
    const headers = async (uri: string) => (await ask(home, uri)).headers;
    expect(await headers("https://files.example.com/private/a.tar")).toEqual({ Authorization: [basic("files")] });
    expect(await headers("https://files.example.com/public/a.tar")).toEqual({});
    expect(await headers("http://files.example.com/private/a.tar")).toEqual({});
    expect(await headers("https://github.com/org/app/archive/x.zip")).toEqual({ Authorization: [basic("git")] });
    expect(await headers("https://elsewhere.example.com/")).toEqual({});
  });

  it.each(["", "{}", "7", "null", '{"uri": 7}', '{"uri": "not one"}'])("refuses %j", async (input) => {
    const stdin = Readable.from([Buffer.from(input)]);
    const asking = bazelHelper({ args: ["get"], stdin, env: new Home().env });
    await expect(asking).rejects.toThrow(userErrorWith("started-by-hand", "bazel-credential-slipway"));
  });

  it("has get alone", async () => {
    const asking = bazelHelper({ args: ["store"], stdin: Readable.from([]), env: new Home().env });
    await expect(asking).rejects.toThrow(/"store"/);
  });
});

describe("for what is in a registry, Bazel is given", () => {
  const blob = (repository: string) => `${registry.url}/v2/${repository}/blobs/sha256:0`;

  function homeFor(...paths: string[]): Home {
    const home = new Home();
    home.store(
      ...paths.map((path) => ({ service: "docker", url: `${registry.host}${path}`, source: kept("u") }) as const),
    );
    return home;
  }

  it("the password when it asks for one, and the header fields of the configuration", async () => {
    registry.intervene = answer(401, { "www-authenticate": "Basic realm=x" });
    const home = new Home();
    home.dockerConfig({ auths: { [registry.host]: auth("u", "p") }, HttpHeaders: { "X-Team": "a" } });
    expect((await ask(home, blob("team/app"))).headers).toEqual({ Authorization: [basic("u")], "x-team": ["a"] });
  });

  it("the password of the repository alone", async () => {
    registry.intervene = answer(401, { "www-authenticate": "Basic realm=x" });
    const home = homeFor("/team");
    expect((await ask(home, blob("team/app"))).headers).toEqual({ Authorization: [basic("u")] });
    expect((await ask(home, blob("teammate/app"))).headers).toEqual({});
  });

  it("nothing when it asks nobody who he is", async () => {
    registry.putBlob("team/app", Buffer.from("x"));
    expect(await ask(homeFor(""), blob("team/app"))).toEqual({ headers: {} });
    expect(registry.seen.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  describe("where a token service is,", () => {
    function startTokens(seconds: number, status = 200) {
      const give = answer(status, {}, JSON.stringify({ token: "ticket", expires_in: seconds }));
      const challenge = answer(401, { "www-authenticate": `Bearer realm="${registry.url}/t",service="s"` });
      registry.intervene = (...call) => (call[0].url?.startsWith("/t?") ? give : challenge)(...call);
      return () => registry.seen.filter(({ path }) => path.startsWith("/t?"));
    }

    it("a token to pull from that repository, and until when it is good", async () => {
      const tokens = startTokens(300);
      const before = Date.now();
      const { headers, expires = "" } = await ask(homeFor(""), blob("team/app"));
      expect(headers).toEqual({ Authorization: ["Bearer ticket"] });
      expect(tokens()).toMatchObject([{ authorization: basic("u") }]);
      expect(decodeURIComponent(tokens()[0]?.path ?? "")).toContain("scope=repository:team/app:pull&");
      expect(expires).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      const seconds = (Date.parse(expires) - before) / 1000;
      expect(seconds).toBeGreaterThan(285);
      expect(seconds).toBeLessThan(300);
    });

    it("an anonymous one where nobody is known", async () => {
      const tokens = startTokens(60);
      expect((await ask(new Home(), blob("library/ubuntu"))).headers).toEqual({ Authorization: ["Bearer ticket"] });
      expect(tokens().map(({ authorization }) => authorization)).toEqual([undefined]);
    });

    it("its refusal of the password; where nobody is known, nothing", async () => {
      startTokens(60, 401);
      await expect(ask(homeFor(""), blob("team/app"))).rejects.toThrow(userErrorWith("registry-login", registry.host));
      expect(await ask(new Home(), blob("team/app"))).toEqual({ headers: {} });
    });
  });

  it("the password when it does not answer", async () => {
    const home = homeFor("");
    const uri = blob("team/app");
    registry.intervene = reset;
    expect(await ask(home, uri)).toEqual({ headers: { Authorization: [basic("u")] } });
    expect(await ask(new Home(), uri)).toEqual({ headers: {} });
  });

  it("no password when it is a registry by TLS and the URL is without", async () => {
    const home = new Home();
    home.store({ service: "docker", url: "registry.example.com", source: kept("u") });
    expect(await ask(home, "http://registry.example.com/v2/team/app/blobs/sha256:0")).toEqual({ headers: {} });
  });
});
