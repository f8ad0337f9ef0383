import { describe, expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { credentialFiles, findCredential } from "./find.ts";
import { findPassword, findSshKey } from "./find-remote.ts";
import { parseServiceUrl } from "./service-url.ts";
import type { Entry } from "./source.ts";
import { auth, Home } from "./testdata/home.ts";

const registry = "registry.example.com";

const kept = (url: string, username: string, name?: string): Entry => ({
  ...(name === undefined ? {} : { name }),
  service: "docker",
  url,
  source: { kind: "stored", username, password: "geheim" },
});

async function userOf(home: Home, repository?: string, host = registry): Promise<string | undefined> {
  const { credential } = await findCredential({ registry: host, repository }, home.env);
  return credential?.kind === "password" ? credential.username : credential?.kind;
}

describe("the search for a registry's credential", () => {
  it("takes the variable, then what was added, then podman's file, then docker's", async () => {
    const home = new Home();
    delete home.env["DOCKER_CONFIG"];
    home.write(".docker/config.json", { auths: { [registry]: auth("docker", "p") } });
    expect(await userOf(home)).toBe("docker");
    home.containersAuth({ auths: { [registry]: auth("podman", "p") } });
    expect(await userOf(home)).toBe("podman");
    home.store(kept(registry, "added"));
    expect(await userOf(home)).toBe("added");
    home.env["DOCKER_AUTH_CONFIG"] = JSON.stringify({ auths: { [registry]: auth("variable", "p") } });
    expect(await userOf(home)).toBe("variable");
  });

  it("looks where podman writes without XDG_RUNTIME_DIR", () => {
    const files = (env: object, user: number) => credentialFiles({ HOME: "/home/u", ...env }, user).slice(0, -2);
    expect(files({}, 0)).toEqual(["/run/containers/0/auth.json"]);
    expect(files({}, 7)).toEqual([
      "/run/user/7/containers/auth.json",
      "/tmp/podman-run-7/containers/auth.json",
      "/run/containers/7/auth.json",
    ]);
    expect(files({ XDG_RUNTIME_DIR: "/r" }, 7)).toEqual(["/r/containers/auth.json"]);
  });

  it("takes the longest match, and of equal ones the newest", async () => {
    const home = new Home();
    home.store(
      kept(`${registry}/team`, "team"),
      kept(registry, "old", "old"),
      kept(registry, "new", "new"),
      kept(`${registry}/team/app`, "app"),
      kept(`${registry}/teammate`, "mate"),
    );
    expect(await userOf(home)).toBe("new");
    expect(await userOf(home, "team/app")).toBe("app");
    expect(await userOf(home, "team/apple")).toBe("team");
    expect(await userOf(home, "teammates")).toBe("new");
    expect(await userOf(home, "team/app", "other.example.com")).toBeUndefined();
  });

  it("knows all names of Docker Hub for the same", async () => {
    const home = new Home();
    for (const name of ["docker.io", "index.docker.io", "registry-1.docker.io", "https://index.docker.io/v1/"]) {
      home.store(kept(name, "added"));
      expect(await userOf(home, "library/ubuntu", "registry-1.docker.io")).toBe("added");
      home.store();
      home.dockerConfig({ auths: { [name]: auth("docker", "p") } });
      expect(await userOf(home, "library/ubuntu", "registry-1.docker.io")).toBe("docker");
      home.dockerConfig({});
    }
  });

  it("says why", async () => {
    const home = new Home();
    const file = home.write("two", "u\ngeheim\n");
    const source = { kind: "file", path: file } as const;
    home.store(kept(registry, "a"), { name: "b", service: "docker", url: registry, source });
    const { considered, ...found } = await findCredential({ registry }, home.env);
    expect(found.source).toBe(`b: file ${file} (for docker ${registry})`);
    expect(considered?.map(({ used, reason }) => [used, reason])).toEqual([
      [false, "a newer one is for the same"],
      [true, "it is for the whole host"],
    ]);
    expect(JSON.stringify(considered)).not.toContain("geheim");
  });

  it("is not broken by a helper that fails, and tells of it", async () => {
    const home = new Home();
    home.program("docker-credential-broken", "echo no keychain here >&2; exit 1");
    const path = home.dockerConfig({ credsStore: "broken" });
    const search = await findCredential({ registry }, home.env);
    expect(search.credential).toBeUndefined();
    expect(search.problems).toEqual([
      `docker-credential-broken (named in ${path}): docker-credential-broken ended with status 1: no keychain here.`,
    ]);
    home.dockerConfig({ credHelpers: { [registry]: "missing" } });
    expect((await findCredential({ registry }, home.env)).problems[0]).toMatch(
      /docker-credential-missing is not on PATH/,
    );
  });

  it("takes what the file holds where the helper has nothing", async () => {
    const home = new Home();
    home.program("docker-credential-empty", "echo credentials not found in native keychain; exit 1");
    home.dockerConfig({ credsStore: "empty", auths: { [registry]: auth("file", "p") } });
    expect(await userOf(home)).toBe("file");
    home.program("docker-credential-full", `cat >/dev/null; echo '{"Username":"<token>","Secret":"t"}'`);
    home.dockerConfig({ credsStore: "full", auths: { [registry]: auth("file", "p") } });
    expect(await userOf(home)).toBe("identity-token");
  });

  it("never runs Slipway's own helper", async () => {
    const home = new Home();
    home.program("docker-credential-slipway", "touch $HOME/ran; exit 1");
    home.dockerConfig({ credsStore: "slipway", auths: { [registry]: auth("file", "p") } });
    expect(await userOf(home)).toBe("file");
    home.dockerConfig({ credHelpers: { [registry]: "slipway" } });
    const { problems, searched } = await findCredential({ registry }, home.env);
    expect(problems).toEqual([]);
    expect(searched.join()).not.toContain("docker-credential-slipway");
  });

  it("brings the header fields of the file that has the credential, but none that say who asks", async () => {
    const home = new Home();
    home.dockerConfig({
      auths: { [registry]: { registrytoken: "ticket" } },
      HttpHeaders: { "X-Team": "blue", Authorization: "no", "Content-Length": "7" },
    });
    expect(await findCredential({ registry }, home.env)).toMatchObject({
      credential: { kind: "registry-token", token: "ticket" },
      headers: { "x-team": "blue" },
    });
  });

  it("is never silently anonymous where a source cannot be read", async () => {
    const home = new Home();
    home.store({ service: "docker", url: registry, source: { kind: "file", path: "/nowhere/at/all" } });
    await expect(findCredential({ registry }, home.env)).rejects.toThrow(userErrorWith("credential-invalid", registry));
    expect(await userOf(home, undefined, "other.example.com")).toBeUndefined();
  });

  it("reads a variable that holds the password when it is needed", async () => {
    const home = new Home();
    const source = { kind: "environment", username: "ci", variable: "CI_PASSWORD" } as const;
    home.store({ service: "docker", url: registry, source });
    await expect(findCredential({ registry }, home.env)).rejects.toThrow(userErrorWith("credential-invalid", registry));
    home.env["CI_PASSWORD"] = "geheim";
    expect((await findCredential({ registry }, home.env)).credential).toMatchObject({
      username: "ci",
      password: "geheim",
    });
  });
});

describe("the search for git and downloads", () => {
  const key = "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n-----END OPENSSH PRIVATE KEY-----\n";

  it("gives keys to SSH and passwords to HTTP", async () => {
    const home = new Home();
    const path = home.write("key", key);
    home.store(
      { service: "git", url: "github.com", source: { kind: "stored", username: "u", password: "p" } },
      { service: "git", url: "github.com", source: { kind: "ssh-key", path } },
    );
    const ssh = await findSshKey(parseServiceUrl("git", "git@github.com:org/app"), home.env);
    expect(ssh.credential).toEqual({ kind: "ssh-key-file", path });
    const http = await findPassword(parseServiceUrl("git", "https://github.com/org/app"), ["git"], home.env);
    expect(http.credential).toMatchObject({ username: "u" });
  });

  it("does not give git what is for downloads", async () => {
    const home = new Home();
    home.store({ service: "http", url: "h.org", source: { kind: "stored", username: "u", password: "p" } });
    const url = parseServiceUrl("git", "https://h.org/a");
    expect((await findPassword(url, ["git"], home.env)).credential).toBeUndefined();
    expect((await findPassword(url, ["http", "git"], home.env)).credential).toBeDefined();
  });
});
