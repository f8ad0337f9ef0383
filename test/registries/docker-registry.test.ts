import { randomBytes } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { createServer } from "node:https";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import type { TLSSocket } from "node:tls";
import { describe, expect, it, onTestFinished } from "vitest";
import { registrySettings } from "../../src/config/settings.ts";
import { temporaryFolder } from "../../src/core/testdata/folder.ts";
import type { CredentialSearch } from "../../src/credentials/credential.ts";
import { auth, Home } from "../../src/credentials/testdata/home.ts";
import { type OpenOptions, openRegistry } from "../../src/registry/client/open.ts";
import { pushImages } from "../../src/registry/client/push.ts";
import { blobOf, imageOf, quickRetry } from "../../src/registry/client/testdata/images.ts";
import { listen } from "../../src/registry/client/testdata/listen.ts";
import { bazelHelper } from "../../src/registry/helpers/bazel.ts";
import { privateAuthority } from "./testdata/certificates.ts";
import { connectProxy } from "./testdata/connect-proxy.ts";
import { startDockerRegistry } from "./testdata/docker-registry.ts";
import { plainHttp, user, worksWith } from "./testdata/suite.ts";
import { identityToken, startTokenServer } from "./testdata/token-server.ts";

const find = async () => user;
const asUser = "--src-creds=u:geheim";

function open(host: string, options: OpenOptions) {
  const client = openRegistry(host, { retry: quickRetry, ...options });
  onTestFinished(() => client.close());
  return client;
}

describe("docker-registry, open", () => {
  worksWith(async () => ({ host: await startDockerRegistry({ auth: "none" }), skopeo: () => [plainHttp] }));
});

describe("docker-registry with passwords", () => {
  worksWith(async () => ({
    host: await startDockerRegistry({ auth: "htpasswd" }),
    find,
    skopeo: () => [plainHttp, asUser],
  }));

  it("refuses a wrong one, which no error shows", async () => {
    const wrong = { ...user, credential: { kind: "password", username: "u", password: "falsch" } as const };
    const client = open(await startDockerRegistry({ auth: "htpasswd" }), { findCredential: async () => wrong });
    const error = await client.headManifest("team/app", "t").catch((error: Error) => error);
    expect(String(error)).toMatch(/answered 401 .* the credential from \/home\/u\/\.docker\/config\.json/);
    expect(String(error)).not.toContain("falsch");
  });
});

describe("docker-registry with TLS", () => {
  async function start(options: { readonly forCertificates?: boolean; readonly name?: string } = {}) {
    const authority = privateAuthority();
    const tls = authority.issue(options.name ?? "localhost");
    const host = await startDockerRegistry({
      auth: "htpasswd",
      tls: { ...tls, ...(options.forCertificates ? { clientAuthority: authority.certificate } : {}) },
    });
    /** As podman and docker have them. */
    const folder = temporaryFolder();
    copyFileSync(authority.certificate, join(folder, "ca.crt"));
    return { host, authority, folder, settings: { plainHttp: false, authorities: [authority.pem] } };
  }

  worksWith(async () => {
    const { host, folder, settings } = await start();
    return { host, find, settings, skopeo: () => [`--src-cert-dir=${folder}`, asUser] };
  });

  it("is not trusted when nobody vouches for it, which is said with what to write", async () => {
    const { host } = await start();
    const client = open(host, { findCredential: find, settings: { plainHttp: false } });
    await expect(client.headManifest("team/app", "t")).rejects.toThrow(
      `The certificate of registry ${host} is not trusted (UNABLE_TO_VERIFY_LEAF_SIGNATURE) while asking for manifest t in team/app.\nName the file of its authority with \`ca\` in registries: {"${host}": {…}} of`,
    );
  });

  it("is trusted by its authority in podman's folder", async () => {
    const { host, folder, settings } = await start();
    const config = temporaryFolder();
    mkdirSync(join(config, "containers/certs.d"), { recursive: true });
    mkdirSync(join(config, "containers/certs.d", host));
    copyFileSync(join(folder, "ca.crt"), join(config, "containers/certs.d", host, "ca.crt"));
    const found = await registrySettings(host, { XDG_CONFIG_HOME: config });
    expect(found).toEqual({ authorities: settings.authorities });
    const client = open(host, { findCredential: find, settings: { plainHttp: false, ...found } });
    expect(await client.headManifest("team/app", "t")).toBeUndefined();
  });

  it("is trusted by authorities besides the one that is configured", async () => {
    const { host, settings } = await start();
    const other = privateAuthority();
    const both = { plainHttp: false, authorities: [other.pem, ...settings.authorities] };
    expect(await open(host, { findCredential: find, settings: both }).headManifest("team/app", "t")).toBeUndefined();
    const wrong = { plainHttp: false, authorities: [other.pem] };
    await expect(open(host, { findCredential: find, settings: wrong }).headManifest("team/app", "t")).rejects.toThrow(
      /is not trusted/,
    );
  });

  it("that is spoken to by plain HTTP, or by another name, is an error that says so", async () => {
    const { host } = await start();
    const plain = open(host, { findCredential: find });
    await expect(plain.headManifest("team/app", "t")).rejects.toThrow(`Registry ${host} answered 400`);
    const other = await start({ name: "elsewhere.example" });
    await expect(open(other.host, { settings: other.settings }).headManifest("team/app", "t")).rejects.toThrow(
      `The certificate of registry ${other.host} is for another name`,
    );
  });

  it("is reached through a proxy, by its own name and certificate", async () => {
    const { host, settings } = await start({ name: "registry.example" });
    const proxy = await connectProxy(host);
    const env = { HTTPS_PROXY: proxy.url };
    const client = open("registry.example", { findCredential: find, settings, env });
    const image = imageOf(client, { repository: "team/app", tags: ["t"], layers: ["x", randomBytes(300_000)] });
    expect(await pushImages([image], { check: "tags" })).toEqual(["pushed"]);
    const pair = Buffer.from("u:geheim").toString("base64");
    expect(new Set(proxy.asked)).toEqual(new Set([`registry.example:443 Basic ${pair}`]));
    // Connections are kept, behind a proxy too.
    expect(proxy.asked.length).toBeLessThan(8);
    const other = open("other.example", { findCredential: find, settings, env });
    await expect(other.headManifest("team/app", "t")).rejects.toThrow(/registry other\.example is for another name/);
  });

  it("that wants a certificate gets ours, and says so when there is none", async () => {
    const { host, settings, authority } = await start({ forCertificates: true });
    const mine = authority.issue("me");
    const clientCertificate = {
      certificate: readFileSync(mine.certificate, "utf8"),
      key: readFileSync(mine.key, "utf8"),
    };
    const client = open(host, { findCredential: find, settings: { ...settings, clientCertificate } });
    const image = imageOf(client, { repository: "team/app", tags: ["t"], layers: ["x"] });
    expect(await pushImages([image], { check: "tags" })).toEqual(["pushed"]);
    const nobody = open(host, { findCredential: find, settings });
    await expect(nobody.headManifest("team/app", "t")).rejects.toThrow(
      expect.objectContaining({ code: "registry-tls" }),
    );
  });
});

it("a client certificate is shown to its registry, and not to where that redirects", async () => {
  const authority = privateAuthority();
  const pem = ({ certificate, key }: { certificate: string; key: string }) => ({
    certificate: readFileSync(certificate, "utf8"),
    key: readFileSync(key, "utf8"),
  });
  const { certificate: cert, key } = pem(authority.issue("localhost"));
  const content = Buffer.from("content");
  const shown: Record<string, string | undefined> = {};
  const serve = async (name: string, answer: (response: ServerResponse) => void) => {
    const options = { cert, key, ca: authority.pem, requestCert: true, rejectUnauthorized: false };
    const server = createServer(options, (request, response) => {
      const { subject } = (request.socket as TLSSocket).getPeerCertificate();
      shown[name] = subject?.CN as string | undefined;
      answer(response);
    });
    return `localhost:${await listen(server)}`;
  };
  const elsewhere = await serve("elsewhere", (response) => response.end(content));
  const host = await serve("registry", (response) =>
    response.writeHead(307, { location: `https://${elsewhere}/blob` }).end(),
  );
  const settings = { plainHttp: false, authorities: [authority.pem], clientCertificate: pem(authority.issue("me")) };
  const client = open(host, { findCredential: find, settings });
  const { descriptor } = blobOf(content);
  expect(await buffer(client.getBlob("team/app", descriptor))).toEqual(content);
  expect(shown).toEqual({ registry: "me", elsewhere: undefined });
});

describe("docker-registry with a token server", () => {
  worksWith(async () => {
    const tokens = await startTokenServer();
    const host = await startDockerRegistry({ auth: tokens });
    return { host, find, settings: tokens.settings, skopeo: () => [plainHttp, asUser] };
  });

  async function start(search: CredentialSearch) {
    const tokens = await startTokenServer();
    const host = await startDockerRegistry({ auth: tokens });
    return { tokens, client: open(host, { findCredential: async () => search, settings: tokens.settings }) };
  }
  const byToken: CredentialSearch = { ...user, credential: { kind: "identity-token", token: identityToken } };

  it("takes an identity token", async () => {
    const { tokens, client } = await start(byToken);
    const image = imageOf(client, { repository: "team/app", tags: ["t"], layers: ["x"] });
    expect(await pushImages([image], { check: "tags" })).toEqual(["pushed"]);
    expect(new Set(tokens.asked.map(({ method, by }) => `${method} ${by}`))).toEqual(new Set(["POST identity token"]));
  });

  it("is asked for both repositories of a mount at once, and for each scope once", async () => {
    const { tokens, client } = await start(user);
    const base = imageOf(client, { repository: "team/base", tags: ["t"], layers: ["shared"] });
    await pushImages([base], { check: "tags" });
    tokens.asked.length = 0;
    const outcomes: string[] = [];
    const image = imageOf(client, { repository: "team/app", layers: ["shared"], mountFrom: "team/base" });
    await pushImages([image], {
      check: "digest",
      onEvent: (event) => event.type === "blob" && outcomes.push(event.outcome),
    });
    expect(outcomes).toContain("mounted");
    expect(tokens.asked.map(({ scopes }) => scopes.join(" ")).sort()).toEqual([
      "repository:team/app:pull",
      "repository:team/app:pull,push",
      "repository:team/app:pull,push repository:team/base:pull",
    ]);
  });

  it("whose tokens end during a push is asked for others before that", async () => {
    const { tokens, client } = await start(user);
    // The client counts on half of so short a life.
    tokens.lifetime = 1;
    const layers = Array.from({ length: 3 }, (_, index) => `layer ${index}`);
    for (let round = 0; round < 3; round++) {
      const image = imageOf(client, { repository: "team/app", layers: layers.map((layer) => `${layer} ${round}`) });
      expect(await pushImages([image], { check: "digest" })).toEqual(["pushed"]);
      const before = Date.now();
      while (Date.now() < before + 600) await new Promise(setImmediate);
    }
    expect(tokens.asked.filter(({ scopes }) => scopes[0] === "repository:team/app:pull,push").length).toBeGreaterThan(
      2,
    );
  });

  it("is anonymous where nobody logged in, and the refusal says so", async () => {
    const { tokens, client } = await start({ searched: ["/home/u/.docker/config.json"], problems: [] });
    await expect(client.headManifest("team/app", "t")).rejects.toThrow(/answered 401 .*asked anonymously/);
    expect(tokens.asked.map(({ by }) => by)).toEqual(["nobody"]);
  });

  it("gives Bazel a token, with which it can download one repository's content until the token ends", async () => {
    const tokens = await startTokenServer();
    const host = await startDockerRegistry({ auth: tokens });
    const bytes = randomBytes(1000);
    const { descriptor, open: content } = blobOf(bytes);
    const { settings } = tokens;
    await open(host, { findCredential: find, settings }).pushBlob({
      repository: "team/app",
      descriptor,
      open: content,
    });
    const home = new Home();
    home.dockerConfig({ auths: { [host]: auth("u", "geheim") } });
    home.write("config/slipway/config.yaml", { registries: { [host]: settings } });
    tokens.asked.length = 0;
    const uri = `http://${host}/v2/team/app/blobs/${descriptor.digest}`;
    const stdin = Readable.from([Buffer.from(JSON.stringify({ uri }))]);
    const { headers, expires } = JSON.parse((await bazelHelper({ args: ["get"], stdin, env: home.env })).stdout);
    expect(tokens.asked).toEqual([{ method: "GET", scopes: ["repository:team/app:pull"], by: "password" }]);
    expect(Date.parse(expires)).toBeGreaterThan(Date.now());
    expect((await fetch(uri)).status).toBe(401);
    const response = await fetch(uri, { headers: { authorization: headers.Authorization[0] } });
    expect(Buffer.from(await response.arrayBuffer())).toEqual(bytes);
  });
});
