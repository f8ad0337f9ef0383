import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { ErrorCode } from "../core/error-codes.ts";
import { exitStatusOf } from "../core/errors.ts";
import { reported } from "../core/testdata/reported.ts";
import { placesIn, registrySettings, remoteCacheSettings } from "./settings.ts";

let home: string;
const pem = (name: string) => `-----BEGIN CERTIFICATE-----\n${name}\n`;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "slipway-settings-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
});

function file(path: string, text: string): void {
  mkdirSync(dirname(join(home, path)), { recursive: true });
  writeFileSync(join(home, path), text);
}

const config = (text: string) => file(".config/slipway/config.yaml", text);
const settings = (registry: string, env: Record<string, string> = {}) =>
  registrySettings(registry, { HOME: home, ...env });

describe("the settings of a registry", () => {
  it("are none without files, and none for another registry", async () => {
    expect(await settings("r.example.com")).toEqual({});
    config("# empty\n");
    expect(await settings("r.example.com")).toEqual({});
    config("registries:\n");
    expect(await settings("r.example.com")).toEqual({});
    config("registries: {r.example.com: {plainHttp: true}}");
    expect(await settings("r.example.com:5000")).toEqual({});
    expect(await settings("r.example.com")).toEqual({ plainHttp: true });
  });

  it("come from the configuration file, whose folder the files it names are relative to", async () => {
    config(`registries:
  r.example.com:5000:
    ca: certs/ca.pem
    certificate: ${join(home, "me.pem")}
    key: certs/me.key
    tokenService: auth.example.org
`);
    file(".config/slipway/certs/ca.pem", pem("ca"));
    file("me.pem", pem("me"));
    file(".config/slipway/certs/me.key", pem("key"));
    expect(await settings("r.example.com:5000")).toEqual({
      authorities: [pem("ca")],
      clientCertificate: { certificate: pem("me"), key: pem("key") },
      tokenService: "auth.example.org",
    });
  });

  it("come from the file that SLIPWAY_CONFIG names, which must be there", async () => {
    file("other.yaml", "registries: {docker.io: {tokenService: a.example}}");
    const env = { SLIPWAY_CONFIG: join(home, "other.yaml") };
    expect(await settings("registry-1.docker.io", env)).toEqual({ tokenService: "a.example" });
    rmSync(join(home, "other.yaml"));
    const missing = settings("docker.io", env);
    await expect(missing).rejects.toThrow(reported("file-unreadable", join(home, "other.yaml")));
    await expect(missing).rejects.toThrow("Correct SLIPWAY_CONFIG");
  });

  it("have the certificates of podman's folder, over which the file goes", async () => {
    const folder = ".config/containers/certs.d/r.example.com:5000";
    for (const name of ["a.crt", "b.crt", "client.cert", "client.key", "README"]) file(`${folder}/${name}`, pem(name));
    expect(await settings("r.example.com:5000")).toEqual({
      authorities: [pem("a.crt"), pem("b.crt")],
      clientCertificate: { certificate: pem("client.cert"), key: pem("client.key") },
    });
    config("registries: {'r.example.com:5000': {ca: ca.pem}}");
    file(".config/slipway/ca.pem", pem("ours"));
    expect((await settings("r.example.com:5000")).authorities).toEqual([pem("ours")]);
    expect(await settings("r.example.com")).toEqual({});
  });

  it("of podman's folder with a certificate without its key are an error that names the file", async () => {
    file(".config/containers/certs.d/r.example.com/client.cert", pem("x"));
    await expect(settings("r.example.com")).rejects.toThrow(reported("file-unreadable", /\/client\.key$/));
  });

  it("name what repositories begin with, which SLIPWAY_REPOSITORY_PREFIX replaces in SLIPWAY_REGISTRY", async () => {
    config("registries: {r.example.com: {repositoryPrefix: team/jobs}}");
    const place = async (env: Record<string, string> = {}, registry = "r.example.com") =>
      (await placesIn(registry, { HOME: home, ...env }))("app");
    expect(await place()).toBe("team/jobs/app");
    expect((await placesIn("r.example.com", { HOME: home }))("team/jobs/app")).toBe("team/jobs/app");
    expect(await place({}, "other.example.com")).toBe("app");
    const env = { SLIPWAY_REGISTRY: "r.example.com", SLIPWAY_REPOSITORY_PREFIX: "/mine/" };
    expect(await place(env)).toBe("mine/app");
    expect(await place(env, "other.example.com")).toBe("app");
  });

  it.each<[string, ErrorCode, string, string?]>([
    ["registries: [", "file-invalid", "config.yaml:1:14"],
    ["a: 1\na: 2", "file-invalid", "config.yaml:2:1", "Map keys must be unique"],
    ["- x", "field-invalid", "config.yaml:1:1"],
    ["registrys:\n  a: {}", "field-invalid", "config.yaml:1:1", "Known here: registries, remoteCaches, "],
    ["Registries: {}", "field-invalid", "config.yaml:1:1", "It is written registries."],
    ["registries: 5", "field-invalid", "config.yaml:1:13"],
    ["registries:\n  https://r.example.com: {}", "field-invalid", "config.yaml:2:3", '"https://r.example.com"'],
    ["registries:\n  5: {}", "field-invalid", "config.yaml:2:3"],
    ["registries:\n  r: x", "field-invalid", "config.yaml:2:6", "registries.r is not a mapping"],
    ["registries:\n  r:\n    insecure: true", "field-invalid", "config.yaml:3:5", "Known here: plainHttp, ca, "],
    ["registries:\n  r:\n    plainhttp: true", "field-invalid", "config.yaml:3:5", "It is written plainHttp."],
    ["registries:\n  r:\n    plainHttp: yes please", "field-invalid", "config.yaml:3:16", "registries.r.plainHttp"],
    ["registries:\n  r:\n    ca: [a]", "field-invalid", "config.yaml:3:9", "registries.r.ca is not a text"],
    ["registries:\n  r:\n    certificate: a.pem", "field-invalid", "config.yaml:3:5", "without key"],
    ["registries:\n  r:\n    key: a.pem", "field-invalid", "config.yaml:3:5", "without certificate"],
    ["registries:\n  r:\n    plainHttp: true\n    ca: a", "field-invalid", "config.yaml:3:5", "which is for TLS"],
    ["registries:\n  r:\n    tokenService: https://a", "field-invalid", "config.yaml:3:19", '"https://a"'],
    ["registries:\n  r:\n    repositoryPrefix: /a", "field-invalid", "config.yaml:3:23", '"/a"'],
    ["registries:\n  docker.io: {}\n  index.docker.io: {}", "field-invalid", "config.yaml:3:3", "is set twice"],
    ["registries: {r: {ca: absent.pem}}", "file-unreadable", "absent.pem", "config.yaml:1:22: registries.r.ca: "],
    ["registries: {r: {ca: config.yaml}}", "file-invalid", "config.yaml", "config.yaml:1:22: registries.r.ca: "],
  ])("that are wrong name the file, the line and the key: %j", async (text, code, culprit, words = culprit) => {
    config(text);
    const error = await settings("r").catch((error) => error);
    expect(error).toEqual(reported(code, join(home, ".config/slipway", culprit)));
    expect(error.message).toContain(words);
    expect(exitStatusOf(error)).toBe(2);
  });
});

describe("the settings of a remote cache", () => {
  const cache = (host: string, env: Record<string, string> = {}) => remoteCacheSettings(host, { HOME: home, ...env });

  it("are those of host and port, else of the host", async () => {
    expect(await cache("c.example.com")).toEqual({ headers: {} });
    config(`remoteCaches:
  c.example.com: {ca: ca.pem, headers: {x-key: {file: key}, x-team: {env: TEAM}}}
  c.example.com:9092: {credentialHelper: bazel-credential-x}
`);
    file(".config/slipway/ca.pem", pem("ca"));
    file(".config/slipway/key", "s3cret\n");
    const settings = { authorities: [pem("ca")], headers: { "x-key": "s3cret", "x-team": "a" } };
    expect(await cache("c.example.com", { TEAM: "a" })).toEqual(settings);
    expect(await cache("c.example.com:1", { TEAM: "a" })).toEqual(settings);
    const credentialHelper = { path: "bazel-credential-x", where: expect.stringContaining("config.yaml:3:42") };
    expect(await cache("c.example.com:9092")).toEqual({ headers: {}, credentialHelper });
  });

  it("that need a variable which is empty are refused", async () => {
    config("remoteCaches: {c: {headers: {x: {env: TEAM}}}}");
    await expect(cache("c", { TEAM: "" })).rejects.toThrow(reported("variable-invalid", "TEAM"));
    const broken: Error = await cache("c", { TEAM: "s3cret\nx: y" }).catch((error) => error);
    expect(broken).toEqual(reported("variable-invalid", "TEAM"));
    expect(broken.message).not.toContain("s3cret");
  });

  it.each<[string, string, string]>([
    ["grpcs://c: {}", "config.yaml:2:3", '"grpcs://c"'],
    ["c: {key: k}", "config.yaml:2:7", "remoteCaches.c has key without certificate"],
    ["c: {header: {}}", "config.yaml:2:7", "Known here: ca, certificate, key, headers"],
    ["c: {headers: {x y: {env: V}}}", "config.yaml:2:17", "remoteCaches.c.headers.x y"],
    ["c: {headers: {x: {}}}", "config.yaml:2:17", "neither or both"],
    ["c: {headers: {x: {file: f, env: V}}}", "config.yaml:2:17", "neither or both"],
  ])("that are wrong name the file, the line and the key: %j", async (text, culprit, words) => {
    config(`remoteCaches:\n  ${text}\n`);
    const error = await cache("c").catch((caught) => caught);
    expect(error).toEqual(reported("field-invalid", join(home, ".config/slipway", culprit)));
    expect(error.message).toContain(words);
  });
});
