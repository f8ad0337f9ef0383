import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { credentialFiles, findCredential } from "./find.ts";

const encode = (pair: string) => Buffer.from(pair).toString("base64");
/** A user name cannot hold a colon. */
const userOf = (name: string) => name.replaceAll(":", "-");
const passwordOf = (name: string) => ({ kind: "password", username: userOf(name), password: "geheim" });

/** A home of a test's own. */
function home(files: Record<string, unknown> = {}, env: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "slipway-home-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const put = (path: string, content: unknown, mode = 0o600) => {
    const whole = join(folder, path);
    mkdirSync(dirname(whole), { recursive: true });
    writeFileSync(whole, typeof content === "string" ? content : JSON.stringify(content), { mode });
    return whole;
  };
  for (const [path, content] of Object.entries(files)) put(path, content);
  const environment = { HOME: folder, PATH: `${folder}/bin:/usr/bin:/bin`, ...env };
  const helper = (name: string, script: string) =>
    put(`bin/docker-credential-${name}`, `#!/bin/sh\n${script}\n`, 0o755);
  const find = (registry: string, repository?: string) => findCredential({ registry, repository }, environment);
  return { folder, find, helper, put, env: environment };
}

const docker = ".docker/config.json";
const auths = (...names: string[]) => ({
  auths: Object.fromEntries(names.map((name) => [name, { auth: encode(`${userOf(name)}:geheim`) }])),
});

describe("findCredential", () => {
  it("finds nothing in a home without files, and says where it looked", async () => {
    const { find, folder } = home();
    expect(await find("a.b")).toEqual({
      searched: [join(folder, ".config/containers/auth.json"), join(folder, docker)],
      problems: [],
    });
  });

  it("takes the longest entry that matches, on a path boundary", async () => {
    const { find } = home({ [docker]: auths("a.b", "a.b/team", "a.b/team/app", "a.b:5000") });
    for (const [registry, repository, name] of [
      ["a.b", "other", "a.b"],
      ["a.b", "teammate", "a.b"],
      ["a.b", "team", "a.b/team"],
      ["a.b", "team/app2", "a.b/team"],
      ["a.b", "team/app/x", "a.b/team/app"],
      ["a.b:5000", "team/app", "a.b:5000"],
    ] as const) {
      expect((await find(registry, repository)).credential).toEqual(passwordOf(name));
    }
    expect((await find("b")).credential).toBeUndefined();
  });

  it.each(["https://index.docker.io/v1/", "docker.io", "registry-1.docker.io", "https://index.docker.io/v2/"])(
    "knows Docker Hub by the name %s",
    async (name) => {
      const { find } = home({ [docker]: auths(name) });
      expect((await find("registry-1.docker.io", "library/ubuntu")).credential).toEqual(passwordOf(name));
    },
  );

  it("reads the forms that entries have", async () => {
    const { find } = home({
      [docker]: {
        auths: {
          "plain.b": { username: "u", password: "p:q" },
          "token.b": { identitytoken: "t", auth: encode("u:x") },
          "padded.b": { auth: encode("u:p:q\0\0") },
          "empty.b": {},
        },
      },
    });
    expect((await find("plain.b")).credential).toEqual({ kind: "password", username: "u", password: "p:q" });
    expect((await find("token.b")).credential).toEqual({ kind: "identity-token", token: "t" });
    expect((await find("padded.b")).credential).toEqual({ kind: "password", username: "u", password: "p:q" });
    expect((await find("empty.b")).credential).toBeUndefined();
  });

  it("asks helpers by the server's name on their input, from the home folder", async () => {
    const { find, helper, folder } = home({
      [docker]: { credHelpers: { "a.b": "one" }, credsStore: "two", auths: { "a.b": { auth: encode("x:y") } } },
    });
    helper("one", `test "$1" = get && s=$(cat) && printf '{"Username":"%s","Secret":"%s"}' "$s" "$PWD"`);
    helper("two", `s=$(cat); printf '{"Username":"<token>","Secret":"%s"}' "$s"`);
    expect(await find("a.b")).toMatchObject({
      credential: { username: "a.b", password: folder },
      source: `docker-credential-one (named in ${join(folder, docker)})`,
    });
    expect((await find("c.d")).credential).toEqual({ kind: "identity-token", token: "c.d" });
    expect((await find("registry-1.docker.io")).credential).toMatchObject({ token: "https://index.docker.io/v1/" });
  });

  it("takes a helper that has none for an answer", async () => {
    const { find, helper } = home({ [docker]: { credsStore: "x" } });
    helper("x", "echo 'credentials not found in native keychain'; exit 1");
    expect(await find("a.b")).toMatchObject({ problems: [] });
  });

  it.each([
    ["is missing", undefined, /docker-credential-x is not on PATH/],
    [
      "fails",
      'echo \'{"Secret":"geheim"}\'; echo locked >&2; exit 3',
      /docker-credential-x ended with status 3: locked/,
    ],
    ["prints nonsense", "echo geheim", /did not answer with JSON/],
    ["answers by half", 'echo \'{"Secret":"geheim"}\'', /did not answer with Username and Secret/],
  ])("reports a helper that %s, without what it printed, and looks on", async (_, script, problem) => {
    const { find, helper } = home({ ".config/containers/auth.json": { credsStore: "x" }, [docker]: auths("a.b") });
    if (script !== undefined) helper("x", script);
    const found = await find("a.b");
    expect(found.credential).toEqual(passwordOf("a.b"));
    expect(found.problems).toEqual([expect.stringMatching(problem)]);
    expect(found.problems.join()).not.toContain("geheim");
  });

  it.each([
    ['{"auths": geheim', /it is not JSON/],
    ["[]", /it is not a JSON object/],
    ['{"auths": []}', /auths is no object/],
    ['{"auths": {"a.b": "geheim"}}', /its entry for "a\.b" is no object/],
    ['{"auths": {"a.b": {"auth": "Z2VoZWlt"}}}', /its entry for "a\.b" is not the base64 of USER:PASSWORD/],
    ['{"credHelpers": {"a.b": "../geheim"}}', /is not a program's name/],
    ['{"credsStore": 7}', /is not a program's name/],
  ])("reports the file %j by name and without its content", async (text, problem) => {
    const { find, folder } = home({ [docker]: text });
    const { credential, problems } = await find("a.b");
    expect(credential).toBeUndefined();
    expect(problems).toEqual([expect.stringMatching(problem)]);
    expect(problems[0]).toContain(join(folder, docker));
    expect(problems[0]).not.toMatch(/geheim|Z2Vo/);
  });
});

describe("credentialFiles", () => {
  it.each([
    [{}, ["/h/.config/containers/auth.json", "/h/.docker/config.json"]],
    [
      { XDG_RUNTIME_DIR: "/run/u", XDG_CONFIG_HOME: "/c" },
      ["/run/u/containers/auth.json", "/c/containers/auth.json", "/h/.docker/config.json"],
    ],
    [{ DOCKER_CONFIG: "/d" }, ["/d/config.json", "/h/.config/containers/auth.json"]],
    [{ REGISTRY_AUTH_FILE: "/a.json", DOCKER_CONFIG: "/d" }, ["/a.json", "/d/config.json"]],
  ])("puts what a variable names first: %j", (env, files) => {
    expect(credentialFiles({ HOME: "/h", ...env })).toEqual(files);
  });
});
