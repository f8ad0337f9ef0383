import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { ErrorCode } from "../core/error-codes.ts";
import { exitStatusOf } from "../core/errors.ts";
import { userErrorWith } from "../core/testdata/reported.ts";
import { readInstanceTypes } from "./instance-types.ts";
import { contextSettings, imageRules, placesIn, registrySettings, remoteCacheSettings } from "./settings.ts";

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
    await expect(missing).rejects.toThrow(userErrorWith("file-unreadable", join(home, "other.yaml")));
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
    await expect(settings("r.example.com")).rejects.toThrow(userErrorWith("file-unreadable", /\/client\.key$/));
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

  it.each<[string, ErrorCode]>([
    ["absent.pem", "file-unreadable"],
    ["config.yaml", "file-invalid"],
  ])("that name the file %s are refused where they do", async (name, code) => {
    config(`registries: {r: {ca: ${name}}}`);
    const error = await settings("r").catch((caught) => caught);
    expect(error).toEqual(userErrorWith(code, join(home, ".config/slipway", name)));
    expect(error.message).toContain("config.yaml:1:22: registries.r.ca: ");
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
    const credentialHelper = {
      path: "bazel-credential-x",
      at: expect.anything(),
      where: expect.stringContaining("config.yaml:3:42"),
    };
    expect(await cache("c.example.com:9092")).toEqual({ headers: {}, credentialHelper });
  });

  it("that need a variable which is empty are refused", async () => {
    config("remoteCaches: {c: {headers: {x: {env: TEAM}}}}");
    await expect(cache("c", { TEAM: "" })).rejects.toThrow(userErrorWith("variable-invalid", "TEAM"));
    const broken: Error = await cache("c", { TEAM: "s3cret\nx: y" }).catch((error) => error);
    expect(broken).toEqual(userErrorWith("variable-invalid", "TEAM"));
    expect(broken.message).not.toContain("s3cret");
  });
});

describe("every command that reads the file", () => {
  const env = () => ({ HOME: home });
  it.each<[string, () => Promise<unknown>]>([
    ["registrySettings", () => registrySettings("r", env())],
    ["placesIn", () => placesIn("r", env())],
    ["remoteCacheSettings", () => remoteCacheSettings("r", env())],
    ["contextSettings", () => contextSettings("r", env())],
    ["imageRules", () => imageRules("r", "a", env())],
    ["readInstanceTypes", () => readInstanceTypes(env())],
  ])("reports mistakes in all sections: %s", async (_, read) => {
    await read();
    config(
      [
        "registries: {r: {plainHtp: true}}",
        "remoteCaches: {c: {header: {}}}",
        "kubernetes: {context: {}}",
        "images: {r: {sign: {}}}",
        "services: {models: {claims: a}}",
        "instanceTypes: {a: {cpu: 1}}",
      ].join("\n"),
    );
    const error = await read().catch((caught: unknown) => caught as Error);
    expect(error).toEqual(userErrorWith("field-invalid", join(home, ".config/slipway/config.yaml:1:18")));
    expect(exitStatusOf(error)).toBe(2);
    expect(
      String(error)
        .match(/config\.yaml:\d:\d+: \S+/g)
        ?.map((each) => each.split(": ")[1]),
    ).toEqual([
      "registries.r.plainHtp",
      "remoteCaches.c.header",
      "kubernetes.context",
      "images.r.sign.key",
      "services.models.claims",
      "instanceTypes.a.memory",
    ]);
    config("instanceTypes: [");
    await expect(read()).rejects.toThrow(userErrorWith("file-invalid"));
  });
});
