import { describe, expect, it } from "vitest";
import { UserError } from "../core/errors.ts";
import { findCredential } from "./find.ts";
import { readCredential, readSshKey, type Source } from "./source.ts";
import { parseStore } from "./store.ts";
import { Home } from "./testdata/home.ts";

const registry = "registry.example.com";
/** Part of every bad input that could hold a secret; no error may show it. */
const secret = "geheim";

/** One sentence that names the culprit, one that says what to do, and never a secret. */
function expectGood(error: unknown, culprit: string, problem: RegExp): void {
  expect(error).toBeInstanceOf(UserError);
  const { message } = error as UserError;
  const [sentence = "", remedy = "", ...more] = message.split("\n");
  expect(more).toEqual([]);
  expect(sentence).toContain(culprit);
  expect(sentence).toMatch(problem);
  expect(sentence).toMatch(/\.$/);
  expect(remedy).toMatch(/\.$/);
  expect(message).not.toContain(secret);
  expect(message).not.toContain(Buffer.from(secret).toString("base64").slice(0, 6));
}

const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("a configuration of docker or podman", () => {
  it.each<[string, string | object, RegExp]>([
    ["that is empty", "", /it is not JSON/],
    ["cut off", `{"auths": {"${registry}": {"auth": "${secret}`, /it is not JSON/],
    ["with a comma too many", `{"auths": {"a": {"password": "${secret}"},}}`, /it is not JSON/],
    ["in YAML", `auths:\n  a: ${secret}\n`, /it is not JSON/],
    ["that is a list", `["${secret}"]`, /it is not a JSON object/],
    ["that is a text", `"${secret}"`, /it is not a JSON object/],
    ["that is null", "null", /it is not a JSON object/],
    ["with auths as a list", { auths: [secret] }, /auths is no object/],
    ["with auths as a text", { auths: secret }, /auths is no object/],
    ["with credHelpers as a text", { credHelpers: secret }, /credHelpers is no object/],
    [
      "with an entry that is a text",
      { auths: { [registry]: secret } },
      /its entry for "registry.example.com" is no object/,
    ],
    ["with an entry that is null", { auths: { [registry]: null } }, /entry for .* is no object/],
    [
      "with an auth without a colon",
      { auths: { [registry]: { auth: base64(secret) } } },
      /not the base64 of USER:PASSWORD/,
    ],
    [
      "with an auth that is not encoded",
      { auths: { [registry]: { auth: secret } } },
      /not the base64 of USER:PASSWORD/,
    ],
    ["with an auth without a user", { auths: { [registry]: { auth: base64(`:${secret}`) } } }, /not the base64/],
    ["with a line end in an auth", { auths: { [registry]: { auth: base64(`u:${secret}\n`) } } }, /control character/],
    [
      "with a line end in a token",
      { auths: { [registry]: { registrytoken: `${secret}\n` } } },
      /registrytoken .* no header/,
    ],
    ["with a path as credsStore", { credsStore: "../bin/x" }, /not a program's name/],
    ["with an option as credsStore", { credsStore: "--help" }, /not a program's name/],
    ["with a number as credsStore", { credsStore: 7 }, /not a program's name/],
    ["with spaces in a helper's name", { credHelpers: { [registry]: "a b" } }, /not a program's name/],
    ["with a list as a helper", { credHelpers: { [registry]: [secret] } }, /not a program's name/],
    ["with a list of header fields", { HttpHeaders: [secret] }, /HttpHeaders is no object/],
    [
      "with a header field of two lines",
      { HttpHeaders: { "X-A": `${secret}\r\nB: c` } },
      /X-A in HttpHeaders .* no header/,
    ],
    ["with a header field that is a number", { HttpHeaders: { "X-A": 7 } }, /X-A in HttpHeaders is no text/],
    ["with a bad name of a header field", { HttpHeaders: { "X A:": secret } }, /no name of a header field/],
  ])("%s is an error that names it", async (_, content, problem) => {
    for (const kind of ["dockerConfig", "containersAuth"] as const) {
      const home = new Home();
      const path = home[kind](content);
      expectGood(await findCredential({ registry }, home.env).catch((error) => error), path, problem);
    }
    if (content === "") return;
    const home = new Home();
    home.env["DOCKER_AUTH_CONFIG"] = typeof content === "string" ? content : JSON.stringify(content);
    const error = await findCredential({ registry }, home.env).catch((error) => error);
    expectGood(error, "variable DOCKER_AUTH_CONFIG", problem);
  });

  it("that is a folder is an error that names it", async () => {
    const home = new Home();
    home.write("docker/config.json/x", "");
    const error = await findCredential({ registry }, home.env).catch((error) => error);
    expectGood(error, `${home.env["DOCKER_CONFIG"]}/config.json`, /cannot be read \(EISDIR\)/);
  });
});

describe("a file of two lines", () => {
  it.each<[string, string, RegExp]>([
    ["that is empty", "", /exactly two lines.* has 0 lines/],
    ["with one line", `${secret}\n`, /has 1 line\b/],
    ["with three lines", `u\n${secret}\nx\n`, /has 3 lines/],
    ["with an empty line at its end", `u\n${secret}\n\n`, /has 3 lines/],
    ["with an empty line before", `\nu\n${secret}\n`, /has 3 lines/],
    ["without a user", `\n${secret}\n`, /empty user name/],
    ["without a password", `${secret}\n\n`, /empty password/],
    ["with a colon in the user", `u:${secret}\n${secret}\n`, /colon/],
    ["with a tab in the password", `u\n${secret}\tx\n`, /control character/],
    ["with a NUL", `u\n${secret}\0\n`, /control character/],
    ["with old line ends", `u\r${secret}\r`, /has 1 line\b/],
    ["that is very long", `u\n${secret.repeat(20_000)}\n`, /more than any credential/],
  ])("%s is an error that names it", async (_, content, problem) => {
    const home = new Home();
    const path = home.write("two lines.txt", content);
    const source: Source = { kind: "file", path };
    const error = await readCredential({ service: "docker", url: registry, source }, {}).catch((error) => error);
    expectGood(error, path, problem);
  });

  it("that is not UTF-8 is an error that names it", async () => {
    const path = new Home().write("latin", "u\n");
    const { writeFileSync } = await import("node:fs");
    writeFileSync(path, Buffer.from([0x75, 0x0a, 0xe9, 0x0a]));
    const source: Source = { kind: "file", path };
    const error = await readCredential({ service: "docker", url: registry, source }, {}).catch((error) => error);
    expectGood(error, path, /is not UTF-8/);
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
    expectGood(await readSshKey(entry).catch((error) => error), path, /is not a private key/);
  });
});

describe("Slipway's own file", () => {
  const entry = { service: "docker", url: registry, source: { kind: "stored", username: "u", password: secret } };
  const withSource = (source: unknown) => ({ version: 1, credentials: [{ ...entry, source }] });

  it.each<[string, unknown, RegExp]>([
    ["that is empty", "", /it is not JSON/],
    ["cut off", JSON.stringify({ version: 1, credentials: [entry] }).slice(0, -4), /it is not JSON/],
    ["that is a list", [entry], /it is not a JSON object/],
    ["of no version", { credentials: [] }, /its version is not 1/],
    ["of a version to come", { version: 2, credentials: [] }, /its version is not 1/],
    ["without a list", { version: 1 }, /credentials is no list/],
    ["with an object for the list", { version: 1, credentials: { a: entry } }, /credentials is no list/],
    ["with a text for an entry", { version: 1, credentials: [entry, secret] }, /credentials\[1\] is no object/],
    ["with an unknown field", { version: 1, credentials: [{ ...entry, user: secret }] }, /unknown field "user"/],
    [
      "with an unknown service",
      { version: 1, credentials: [{ ...entry, service: "ftp" }] },
      /\[0\]\.service is none of/,
    ],
    ["without a URL", { version: 1, credentials: [{ ...entry, url: undefined }] }, /\[0\]\.url is no text/],
    ["with a bad URL", { version: 1, credentials: [{ ...entry, url: "a b" }] }, /\[0\]\.url: "a b" is not a URL/],
    ["with a password in a URL", { version: 1, credentials: [{ ...entry, url: `u:${secret}@h` }] }, /holds a password/],
    ["with a bad name", { version: 1, credentials: [{ ...entry, name: "a/b" }] }, /\[0\]\.name is not made of letters/],
    [
      "with a name twice",
      {
        version: 1,
        credentials: [
          { ...entry, name: "a" },
          { ...entry, name: "a" },
        ],
      },
      /two credentials have the name "a"/,
    ],
    ["with a text for a source", withSource(secret), /\[0\]\.source is no object/],
    ["with an unknown kind of source", withSource({ kind: "vault", password: secret }), /source\.kind is none of/],
    ["with a kind that JavaScript knows", withSource({ kind: "toString" }), /source\.kind is none of/],
    ["without a path", withSource({ kind: "file" }), /source\.path is no text/],
    ["with an empty path", withSource({ kind: "file", path: "" }), /source\.path is no text/],
    ["with a number for a secret's name", withSource({ kind: "aws-secret", secret: 7 }), /source\.secret is no text/],
    [
      "with a number for a region",
      withSource({ kind: "aws-secret", secret: "a", region: 7 }),
      /source\.region is no text/,
    ],
    ["without a password", withSource({ kind: "stored", username: "u" }), /source\.password is no text/],
    [
      "with a password too many",
      withSource({ kind: "file", path: "/a", password: secret }),
      /unknown field "password"/,
    ],
  ])("%s is an error that names it", (_, content, problem) => {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    let error: unknown;
    try {
      parseStore(text, "/home/u/.config/slipway/credentials.json");
    } catch (thrown) {
      error = thrown;
    }
    expectGood(error, "/home/u/.config/slipway/credentials.json", problem);
  });

  it("that others can read is refused when it holds a password, and fine when it does not", async () => {
    const home = new Home();
    const { chmodSync } = await import("node:fs");
    const path = home.store(entry as never);
    chmodSync(path, 0o644);
    expectGood(
      await findCredential({ registry }, home.env).catch((error) => error),
      path,
      /open to others \(mode 644\)/,
    );
    chmodSync(home.store(), 0o644);
    expect((await findCredential({ registry }, home.env)).credential).toBeUndefined();
  });
});
