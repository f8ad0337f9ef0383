import { describe, expect, it } from "vitest";
import type { ErrorCode } from "../core/error-codes.ts";
import { jsonOf } from "../core/errors.ts";
import { userErrorWith } from "../core/testdata/reported.ts";
import { findCredential } from "./find.ts";
import { readCredential, readSshKey, type Source } from "./source.ts";
import { parseStore } from "./store.ts";
import { Home } from "./testdata/home.ts";

const registry = "registry.example.com";
/** Part of every bad input that could hold a secret; no error may show it. */
const secret = "geheim";

/** Checks the code and the culprit, and that no secret is in the error. */
function expectGood(error: unknown, code: ErrorCode, culprit: string): void {
  expect(error).toEqual(userErrorWith(code, culprit));
  const text = jsonOf(error);
  expect(text).not.toContain(secret);
  expect(text).not.toContain(Buffer.from(secret).toString("base64").slice(0, 6));
}

const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("a configuration of docker or podman", () => {
  it.each<[string, string | object]>([
    ["that is empty", ""],
    ["cut off", `{"auths": {"${registry}": {"auth": "${secret}`],
    ["with a comma too many", `{"auths": {"a": {"password": "${secret}"},}}`],
    ["in YAML", `auths:\n  a: ${secret}\n`],
    ["that is a list", `["${secret}"]`],
    ["that is a text", `"${secret}"`],
    ["that is null", "null"],
    ["with auths as a list", { auths: [secret] }],
    ["with auths as a text", { auths: secret }],
    ["with credHelpers as a text", { credHelpers: secret }],
    ["with an entry that is a text", { auths: { [registry]: secret } }],
    ["with an entry that is null", { auths: { [registry]: null } }],
    ["with an auth without a colon", { auths: { [registry]: { auth: base64(secret) } } }],
    ["with an auth that is not encoded", { auths: { [registry]: { auth: secret } } }],
    ["with an auth without a user", { auths: { [registry]: { auth: base64(`:${secret}`) } } }],
    ["with a line end in an auth", { auths: { [registry]: { auth: base64(`u:${secret}\n`) } } }],
    ["with a line end in a token", { auths: { [registry]: { registrytoken: `${secret}\n` } } }],
    ["with a path as credsStore", { credsStore: "../bin/x" }],
    ["with an option as credsStore", { credsStore: "--help" }],
    ["with a number as credsStore", { credsStore: 7 }],
    ["with spaces in a helper's name", { credHelpers: { [registry]: "a b" } }],
    ["with a list as a helper", { credHelpers: { [registry]: [secret] } }],
    ["with a list of header fields", { HttpHeaders: [secret] }],
    ["with a header field of two lines", { HttpHeaders: { "X-A": `${secret}\r\nB: c` } }],
    ["with a header field that is a number", { HttpHeaders: { "X-A": 7 } }],
    ["with a bad name of a header field", { HttpHeaders: { "X A:": secret } }],
  ])("%s is an error that names it", async (_, content) => {
    for (const kind of ["dockerConfig", "containersAuth"] as const) {
      const home = new Home();
      const path = home[kind](content);
      expectGood(await findCredential({ registry }, home.env).catch((error) => error), "credential-invalid", path);
    }
    if (content === "") return;
    const home = new Home();
    home.env["DOCKER_AUTH_CONFIG"] = typeof content === "string" ? content : JSON.stringify(content);
    const error = await findCredential({ registry }, home.env).catch((error) => error);
    expectGood(error, "credential-invalid", "DOCKER_AUTH_CONFIG");
  });

  it("that is a folder is an error that names it", async () => {
    const home = new Home();
    home.write("docker/config.json/x", "");
    const error = await findCredential({ registry }, home.env).catch((error) => error);
    expectGood(error, "credential-invalid", `${home.env["DOCKER_CONFIG"]}/config.json`);
  });
});

describe("a file of two lines", () => {
  it.each<[string, string]>([
    ["that is empty", ""],
    ["with one line", `${secret}\n`],
    ["with three lines", `u\n${secret}\nx\n`],
    ["with an empty line at its end", `u\n${secret}\n\n`],
    ["with an empty line before", `\nu\n${secret}\n`],
    ["without a user", `\n${secret}\n`],
    ["without a password", `${secret}\n\n`],
    ["with a colon in the user", `u:${secret}\n${secret}\n`],
    ["with a tab in the password", `u\n${secret}\tx\n`],
    ["with a NUL", `u\n${secret}\0\n`],
    ["with old line ends", `u\r${secret}\r`],
    ["that is very long", `u\n${secret.repeat(20_000)}\n`],
  ])("%s is an error that names it", async (_, content) => {
    const home = new Home();
    const path = home.write("two lines.txt", content);
    const source: Source = { kind: "file", path };
    const error = await readCredential({ service: "docker", url: registry, source }, {}).catch((error) => error);
    expectGood(error, "credential-invalid", registry);
  });

  it("that never ends is an error that names it", async () => {
    const source: Source = { kind: "file", path: "/dev/zero" };
    const error = await readCredential({ service: "docker", url: registry, source }, {}).catch((error) => error);
    expectGood(error, "credential-invalid", registry);
    expect(error.message).toContain("file /dev/zero (for docker registry.example.com) has more than 65536 bytes");
  });

  it("that is not UTF-8 is an error that names it", async () => {
    const path = new Home().write("latin", "u\n");
    const { writeFileSync } = await import("node:fs");
    writeFileSync(path, Buffer.from([0x75, 0x0a, 0xe9, 0x0a]));
    const source: Source = { kind: "file", path };
    const error = await readCredential({ service: "docker", url: registry, source }, {}).catch((error) => error);
    expectGood(error, "credential-invalid", registry);
  });

  it("keeps everything but its line ends", async () => {
    const home = new Home();
    for (const [content, username, password] of [
      ["u\np", "u", "p"],
      ["u\r\np\r\n", "u", "p"],
      [" u \n p: \n", " u ", " p: "],
    ] as const) {
      const source: Source = { kind: "file", path: home.write("f", content) };
      const credential = await readCredential({ service: "git", url: "h.org", source }, {});
      expect(credential).toEqual({ kind: "password", username, password });
    }
  });
});

describe("an SSH key", () => {
  it.each([
    ["that is the public one", "ssh-ed25519 AAAA geheim\n"],
    ["that is empty", ""],
    ["that is a certificate", "-----BEGIN CERTIFICATE-----\ngeheim\n"],
    ["on one line", "-----BEGIN OPENSSH PRIVATE KEY----- geheim"],
  ])("%s is an error that names it", async (_, content) => {
    const path = new Home().write("key", content);
    const entry = { service: "git", url: "git@h.org", source: { kind: "ssh-key", path } } as const;
    expectGood(await readSshKey(entry).catch((error) => error), "credential-invalid", "git@h.org");
  });
});

describe("Slipway's own file", () => {
  const entry = { service: "docker", url: registry, source: { kind: "stored", username: "u", password: secret } };
  const one = (entry: unknown) => ({ version: 1, credentials: [entry] });
  const withSource = (source: unknown) => one({ ...entry, source });
  const path = "/home/u/.config/slipway/credentials.json";
  const errorOf = (content: unknown): unknown => {
    try {
      return parseStore(typeof content === "string" ? content : JSON.stringify(content), path);
    } catch (error) {
      return error;
    }
  };

  it.each<[string, unknown]>([
    ["that is empty", ""],
    ["cut off", JSON.stringify(one(entry)).slice(0, -4)],
    ["that is a list", [entry]],
  ])("%s is an error that names it", (_, content) => {
    expectGood(errorOf(content), "file-invalid", path);
  });

  it.each<[string, unknown]>([
    ["version", { credentials: [] }],
    ["version", { version: 2, credentials: [] }],
    ["credentials", { version: 1 }],
    ["credentials", { version: 1, credentials: { a: entry } }],
    ["credentials[1]", { version: 1, credentials: [entry, secret] }],
    ["credentials[0].user", one({ ...entry, user: secret })],
    ["credentials[0].service", one({ ...entry, service: "ftp" })],
    ["credentials[0].url", one({ ...entry, url: undefined })],
    ["credentials[0].url", one({ ...entry, url: "a b" })],
    ["credentials[0].url", one({ ...entry, url: `u:${secret}@h` })],
    ["credentials[0].name", one({ ...entry, name: "a/b" })],
    ["credentials", { version: 1, credentials: [1, 2].map(() => ({ ...entry, name: "a" })) }],
    ["credentials[0].source", withSource(secret)],
    ["credentials[0].source.kind", withSource({ kind: "vault", password: secret })],
    // A kind that JavaScript knows.
    ["credentials[0].source.kind", withSource({ kind: "toString" })],
    ["credentials[0].source.path", withSource({ kind: "file" })],
    ["credentials[0].source.path", withSource({ kind: "file", path: "" })],
    ["credentials[0].source.secret", withSource({ kind: "aws-secret", secret: 7 })],
    ["credentials[0].source.region", withSource({ kind: "aws-secret", secret: "a", region: 7 })],
    ["credentials[0].source.password", withSource({ kind: "stored", username: "u" })],
    ["credentials[0].source.password", withSource({ kind: "file", path: "/a", password: secret })],
  ])("with a bad %s is an error that names it: %j", (field, content) => {
    expectGood(errorOf(content), "field-invalid", field);
  });

  it("that others can read is refused when it holds a password, and fine when it does not", async () => {
    const home = new Home();
    const { chmodSync } = await import("node:fs");
    const path = home.store(entry as never);
    chmodSync(path, 0o644);
    expectGood(await findCredential({ registry }, home.env).catch((error) => error), "folder-unsafe", path);
    chmodSync(home.store(), 0o644);
    expect((await findCredential({ registry }, home.env)).credential).toBeUndefined();
  });
});
