import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { exitStatusOf } from "../../core/errors.ts";
import { registrySettings } from "./settings.ts";

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
    await expect(settings("docker.io", env)).rejects.toThrow(
      /other\.yaml cannot be read \(ENOENT\)\.\nCorrect SLIPWAY_CONFIG/,
    );
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
    await expect(settings("r.example.com")).rejects.toThrow(
      /client\.key, the key of client\.cert beside it, cannot be read \(ENOENT\)/,
    );
  });

  it.each([
    ["registries: [", /config\.yaml:1:\d+: this is not YAML: /],
    ["- x", /config\.yaml:1:1: the document is not a mapping/],
    [
      "registrys:\n  a: {}",
      /config\.yaml:1:1: registrys is not known\.\nKnown here: registries, kubernetes, services\./,
    ],
    ["Registries: {}", /1:1: Registries is not known\.\nIt is written registries\./],
    ["registries: 5", /1:13: registries is not a mapping/],
    [
      "registries:\n  https://r.example.com: {}",
      /2:3: registries has "https:\/\/r\.example\.com", which is not the name of a registry/,
    ],
    ["registries:\n  5: {}", /2:3: a key is no text/],
    ["registries:\n  r: x", /2:6: registries\.r is not a mapping/],
    [
      "registries:\n  r:\n    insecure: true",
      /3:5: registries\.r\.insecure is not known\.\nKnown here: plainHttp, ca, /,
    ],
    ["registries:\n  r:\n    plainhttp: true", /registries\.r\.plainhttp is not known\.\nIt is written plainHttp\./],
    ["registries:\n  r:\n    plainHttp: yes please", /3:16: registries\.r\.plainHttp is neither true nor false/],
    ["registries:\n  r:\n    ca: [a]", /3:9: registries\.r\.ca is no text/],
    ["registries:\n  r:\n    certificate: a.pem", /3:5: registries\.r has certificate without key/],
    ["registries:\n  r:\n    key: a.pem", /registries\.r has key without certificate/],
    ["registries:\n  r:\n    plainHttp: true\n    ca: a", /registries\.r has plainHttp and ca, which is for TLS/],
    [
      "registries:\n  r:\n    tokenService: https://a",
      /3:19: registries\.r\.tokenService is "https:\/\/a", which is not a host/,
    ],
    ["registries:\n  docker.io: {}\n  index.docker.io: {}", /3:3: registries\.index\.docker\.io is there twice/],
    ["registries: {r: {ca: absent.pem}}", /1:22: registries\.r\.ca: .*absent\.pem cannot be read \(ENOENT\)/],
    ["registries: {r: {ca: config.yaml}}", /registries\.r\.ca: .*config\.yaml is not a PEM file/],
    ["a: 1\na: 2", /2:1: this is not YAML: Map keys must be unique/],
  ])("that are wrong name the file, the line and the key: %j", async (text, problem) => {
    config(text);
    const error = await settings("r").catch((error) => error);
    expect(error.message).toMatch(problem);
    expect(error.message.split("\n").length).toBe(2);
    expect(exitStatusOf(error)).toBe(2);
  });
});
