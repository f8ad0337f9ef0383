import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { userErrorWith } from "../../core/testdata/reported.ts";
import { askBazelHelper } from "../ask-bazel-helper.ts";
import { lookUp } from "../docker-config.ts";
import { findCredential } from "../find.ts";
import { askHelper } from "../helper.ts";
import { readStore } from "../store.ts";
import { auth, Home } from "../testdata/home.ts";
import { dockerHelper } from "./docker.ts";
import { gitHelper } from "./git.ts";
import type { HelperAnswer, HelperCall } from "./helper.ts";

type Helper = (call: HelperCall) => Promise<HelperAnswer>;
const ask = (helper: Helper, home: Home, action: string, ...chunks: (string | Buffer)[]): Promise<HelperAnswer> =>
  helper({ args: [action], stdin: Readable.from(chunks.map((chunk) => Buffer.from(chunk))), env: home.env });

const notFound = { stdout: "credentials not found in native keychain\n", status: 1 };

/** A home with one password for git.example.com and one for registry.example.com. */
function homeWithPasswords(): Home {
  const home = new Home();
  const source = { kind: "stored", username: "u", password: "geheim" } as const;
  home.store(
    { service: "git", url: "https://git.example.com/team", source },
    { service: "docker", url: "registry.example.com", source },
  );
  return home;
}

describe("git gets no password for", () => {
  it.each([
    ["a host that only ends so", "host=evilgit.example.com"],
    ["a host that only begins so", "host=git.example.com.evil.org"],
    ["a host that contains a user", "host=evil.org@git.example.com"],
    ["a host that contains a path", "host=git.example.com/team#.evil.org"],
    ["a host that contains half a path", "host=git.example.com/team"],
    ["a host with a carriage return", "host=git.example.com\r"],
    ["a host with a NUL", "host=git.example.com\0.evil.org"],
    ["a host with an escape", "host=git.example.com%2f.evil.org"],
    ["a second host, which counts", "host=git.example.com\nhost=evil.org"],
    ["another port", "host=git.example.com:8443"],
    ["a path that is only alike", "host=git.example.com\npath=teammate/app"],
  ])("%s", async (_, lines) => {
    const text = `protocol=https\npath=team/app\n${lines}\n`;
    const answer = await ask(gitHelper, homeWithPasswords(), "get", text);
    expect(answer).toEqual({ stdout: "" });
  });

  it("a path that leaves", async () => {
    const text = "protocol=https\nhost=git.example.com\npath=team/../other\n";
    const asked = ask(gitHelper, homeWithPasswords(), "get", text);
    await expect(asked).rejects.toThrow(userErrorWith("credential-invalid", "https://git.example.com/team/../other"));
  });

  it("plain HTTP", async () => {
    const text = "protocol=http\nhost=git.example.com\npath=team/app\n";
    expect(await ask(gitHelper, homeWithPasswords(), "get", text)).toEqual({ stdout: "" });
  });
});

describe("what git reads has no line of a secret's making:", () => {
  it.each([
    ["a line feed", "u\nquit=1", "p"],
    ["a carriage return", "u", "p\rhost=evil.org"],
    ["a NUL", "u", "p\0"],
  ])("%s", async (_, username, password) => {
    const home = new Home();
    home.store({ service: "git", url: "git.example.com", source: { kind: "stored", username, password } });
    const answer = await ask(gitHelper, home, "get", "protocol=https\nhost=git.example.com\n");
    expect(answer).toMatchObject({ stdout: "quit=1\n", status: 2 });
    expect(answer.stderr).not.toMatch(/evil/);
  });

  it("and what could not be given back is not kept", async () => {
    const home = new Home();
    await ask(gitHelper, home, "store", "protocol=https\nhost=git.example.com\nusername=u\npassword=p\r\n");
    expect(await readStore(home.env)).toEqual([]);
  });
});

describe("docker gets no password for", () => {
  it.each([
    "evilregistry.example.com",
    "registry.example.com.evil.org",
    "evil.org@registry.example.com",
    "https://registry.example.com@evil.org",
    "registry.example.com:8443",
    "evil.org\nregistry.example.com",
    "registry.example.com\0.evil.org",
    "registry.example.com\u2044evil.org",
    "__proto__",
  ])("%j, and no other helper is asked", async (server) => {
    const home = homeWithPasswords();
    home.program("docker-credential-x", `echo '{"Username":"u","Secret":"geheim"}'`);
    // A name that is a registry's may be one that another helper knows.
    if (/[\n\0@\u2044]/.test(server)) home.dockerConfig({ credsStore: "x" });
    expect(await ask(dockerHelper, home, "get", server)).toEqual(notFound);
  });

  it.each([
    ["docker", dockerHelper],
    ["git", gitHelper],
  ])("a request of %s without end", async (_, helper) => {
    const endless = function* () {
      for (let count = 0; ; count++) {
        if (count > 32) throw new Error("read too much");
        yield Buffer.alloc(64 * 1024, "x");
      }
    };
    const asked = helper({ args: ["get"], stdin: Readable.from(endless()), env: new Home().env });
    await expect(asked).rejects.toThrow(userErrorWith("started-by-hand", "stdin"));
  });
});

describe("a hostile helper of docker is refused without its words:", () => {
  it.each([
    ["no JSON", "geheim"],
    ["null", "null"],
    ["a list", '["geheim"]'],
    ["a text", '"geheim"'],
    ["a number as secret", '{"Username":"u","Secret":5}'],
    ["no user", '{"Secret":"geheim"}'],
    ["an inherited field", '{"__proto__":{"Username":"u","Secret":"geheim"}}'],
    ["a user of two lines", '{"Username":"u\\nquit=1","Secret":"geheim"}'],
    ["a user with a colon", '{"Username":"u:x","Secret":"geheim"}'],
    ["a secret with a NUL", '{"Username":"u","Secret":"geheim\\u0000"}'],
  ])("%s", async (_, answer) => {
    const home = new Home();
    home.program("docker-credential-x", `cat <<'END'\n${answer}\nEND`);
    const error = await askHelper("x", "registry.example.com", home.env).catch((cause: Error) => cause);
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).toMatch(/^docker-credential-x (?!.*geheim)/);
  });
});

describe("a hostile helper of Bazel is refused without its words:", () => {
  it.each([
    ["no JSON", "geheim"],
    ["a text as list", '{"headers":{"x":"geheim"}}'],
    ["a number in a list", '{"headers":{"x":[5]}}'],
    ["a value of two lines", '{"headers":{"x":["geheim\\r\\nhost: evil.org"]}}'],
    ["a value with a NUL", '{"headers":{"x":["geheim\\u0000"]}}'],
    ["a name of two lines", '{"headers":{"x: geheim\\r\\ny":["z"]}}'],
    ["a name with a space", '{"headers":{"x geheim":["z"]}}'],
    ["an empty name", '{"headers":{"":["geheim"]}}'],
    ["another host", '{"headers":{"Host":["geheim.example"]}}'],
    ["another length", '{"headers":{"content-length":["0"]}}'],
    ["another transfer", '{"headers":{"Transfer-Encoding":["chunked"]}}'],
  ])("%s", async (_, answer) => {
    const home = new Home();
    const program = home.program("helper", `cat <<'END'\n${answer}\nEND`);
    const error = await askBazelHelper(program, "https://cache.example.com/", home.env).catch((cause: Error) => cause);
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).not.toContain("geheim");
  });

  it.each(['"geheim"', "1e999", '"9999999-01-01T00:00:00Z"', "null", "[]"])(
    "an expiry of %s changes nothing",
    async (expires) => {
      const home = new Home();
      const program = home.program(
        "helper",
        `cat <<'END'\n{"headers":{"Authorization":["Basic x"]},"expires":${expires}}\nEND`,
      );
      expect(await askBazelHelper(program, "https://cache.example.com/", home.env)).toEqual({
        Authorization: "Basic x",
      });
    },
  );
});

describe("a hostile file of docker", () => {
  const target = { registry: "registry.example.com" };

  it.each(["../../x", "/bin/sh", "x/y", "x\0", "x\n", "-x", "", "x y", "$(x)", 5, null, ["x"]])(
    "names no program by %j",
    async (helper) => {
      const config = JSON.stringify({ credHelpers: { "registry.example.com": helper } });
      const home = new Home();
      const path = home.dockerConfig(config);
      await expect(findCredential(target, home.env)).rejects.toThrow(userErrorWith("credential-invalid", path));
    },
  );

  it("inherits nothing by __proto__", () => {
    const login = JSON.stringify(auth("u", "geheim"));
    const helpers = '{"__proto__":{"registry.example.com":"x"}}';
    const text = `{"__proto__":{"credsStore":"x"},"credHelpers":${helpers},"auths":{"__proto__":${login}},"HttpHeaders":{"__proto__":"x"}}`;
    expect(lookUp(text, target)).toEqual({ answers: [], headers: {} });
    expect(({} as Record<string, unknown>)["credsStore"]).toBeUndefined();
  });
});
