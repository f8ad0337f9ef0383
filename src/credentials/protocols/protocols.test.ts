import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { userErrorWith } from "../../core/testdata/reported.ts";
import { readStore } from "../store.ts";
import { auth, Home } from "../testdata/home.ts";
import { dockerHelper } from "./docker.ts";
import { gitHelper } from "./git.ts";
import type { HelperAnswer, HelperCall } from "./helper.ts";
import { parseSshArguments } from "./ssh.ts";

function ask(
  helper: (call: HelperCall) => Promise<HelperAnswer>,
  home: Home,
  action: string,
  input: string | object = "",
): Promise<HelperAnswer> {
  const text = typeof input === "string" ? input : JSON.stringify(input);
  return helper({ args: [action], stdin: Readable.from([Buffer.from(text)]), env: home.env });
}

describe("Docker's protocol", () => {
  const server = "registry.example.com";
  const login = { ServerURL: server, Username: "u", Secret: "geheim" };

  it("keeps what is stored, gives it back, lists it, and forgets it", async () => {
    const home = new Home();
    expect(await ask(dockerHelper, home, "store", login)).toEqual({ stdout: "" });
    expect(JSON.parse((await ask(dockerHelper, home, "get", `${server}\n`)).stdout)).toEqual(login);
    expect(JSON.parse((await ask(dockerHelper, home, "get", `https://${server}`)).stdout)).toMatchObject({
      Username: "u",
    });
    expect(JSON.parse((await ask(dockerHelper, home, "list")).stdout)).toEqual({ [server]: "u" });
    await ask(dockerHelper, home, "erase", server);
    expect(await ask(dockerHelper, home, "get", server)).toEqual({
      stdout: "credentials not found in native keychain\n",
      status: 1,
    });
  });

  it("takes identity tokens and Docker Hub's old name", async () => {
    const home = new Home();
    const hub = { ServerURL: "https://index.docker.io/v1/", Username: "<token>", Secret: "t" };
    await ask(dockerHelper, home, "store", hub);
    expect(JSON.parse((await ask(dockerHelper, home, "get", hub.ServerURL)).stdout)).toEqual(hub);
    expect(JSON.parse((await ask(dockerHelper, home, "list")).stdout)).toEqual({ [hub.ServerURL]: "<token>" });
    expect(await readStore(home.env)).toMatchObject([{ url: "docker.io", source: { kind: "stored-token" } }]);
  });

  it("changes nothing that is kept elsewhere, and takes back what came from there", async () => {
    const home = new Home();
    const path = home.write("two", "u\ngeheim\n");
    home.store({ service: "docker", url: server, source: { kind: "file", path } });
    expect(await ask(dockerHelper, home, "store", login)).toEqual({ stdout: "" });
    const refused = userErrorWith("credential-invalid", server);
    await expect(ask(dockerHelper, home, "store", { ...login, Secret: "other" })).rejects.toThrow(refused);
    await expect(ask(dockerHelper, home, "erase", server)).rejects.toThrow(refused);
    expect(await readStore(home.env)).toHaveLength(1);
  });

  it("answers with what podman's and docker's own files have", async () => {
    const home = new Home();
    home.dockerConfig({ credsStore: "slipway", auths: { [server]: auth("file", "p") } });
    expect(JSON.parse((await ask(dockerHelper, home, "get", server)).stdout)).toMatchObject({ Username: "file" });
  });

  it.each(["", "{", "[]", '{"ServerURL":"a"}', '{"ServerURL":7,"Username":"u","Secret":"geheim"}'])(
    "refuses to store %j",
    async (input) => {
      const failing = ask(dockerHelper, new Home(), "store", input);
      await expect(failing).rejects.toThrow(userErrorWith("started-by-hand", "stdin"));
      await expect(failing).rejects.not.toThrow(/geheim/);
    },
  );
});

describe("git's protocol", () => {
  const asked = "protocol=https\nhost=git.example.com\npath=team/app.git\n";
  const found = "username=u\npassword=geheim\n";

  it("keeps what worked, gives it back, and forgets what did not", async () => {
    const home = new Home();
    expect(await ask(gitHelper, home, "get", asked)).toEqual({ stdout: "" });
    await ask(gitHelper, home, "store", `${asked}${found}`);
    expect(await ask(gitHelper, home, "get", asked)).toEqual({ stdout: found });
    await ask(gitHelper, home, "erase", `${asked}username=u\npassword=another\n`);
    expect(await ask(gitHelper, home, "get", asked)).toEqual({ stdout: found });
    await ask(gitHelper, home, "erase", `${asked}${found}`);
    expect(await ask(gitHelper, home, "get", asked)).toEqual({ stdout: "" });
  });

  it("keeps no copy of what came from a source, and leaves that alone", async () => {
    const home = new Home();
    const path = home.write("two", "u\ngeheim\n");
    home.store({ service: "git", url: "https://git.example.com/team", source: { kind: "file", path } });
    expect(await ask(gitHelper, home, "get", asked)).toEqual({ stdout: found });
    await ask(gitHelper, home, "store", `${asked}${found}`);
    await ask(gitHelper, home, "erase", `${asked}${found}`);
    expect(await readStore(home.env)).toHaveLength(1);
  });

  it("says nothing to who is asked for as somebody else", async () => {
    const home = new Home();
    home.store({ service: "git", url: "git.example.com", source: { kind: "stored", username: "u", password: "p" } });
    expect(await ask(gitHelper, home, "get", `${asked}username=alice\n`)).toEqual({ stdout: "" });
  });

  it("tells git to quit when the source cannot be read", async () => {
    const home = new Home();
    home.store({ service: "git", url: "git.example.com", source: { kind: "file", path: "/nowhere" } });
    const answer = await ask(gitHelper, home, "get", asked);
    expect(answer).toMatchObject({ stdout: "quit=1\n", status: 2 });
    expect(answer.stderr).toMatch(/file \/nowhere [\s\S]*\[credential-invalid\]\n$/);
  });

  it("passes over what it does not know", async () => {
    const home = new Home();
    expect(await ask(gitHelper, home, "capability")).toEqual({ stdout: "" });
    expect(await ask(gitHelper, home, "get", "protocol=cert\npath=/x\n")).toEqual({ stdout: "" });
  });
});

describe("the arguments that git gives to SSH", () => {
  it.each([
    [["git@h.org", "git-upload-pack 'org/app.git'"], { user: "git", host: "h.org", path: "org/app" }],
    [
      ["-p", "2222", "git@h.org", "git-receive-pack '/srv/app'"],
      { user: "git", host: "h.org", port: 2222, path: "srv/app" },
    ],
    [["-o", "SendEnv=GIT_PROTOCOL", "-p", "22", "h.org", "x 'a'"], { host: "h.org", port: 22, path: "a" }],
    [["-4", "-oBatchMode=yes", "H.org", "git-upload-pack 'a b'"], { host: "h.org", path: "a b" }],
    [["h.org"], { host: "h.org", path: "" }],
  ])("%j name a repository", (args, expected) => {
    expect(parseSshArguments(args)).toMatchObject({ scheme: "ssh", ...expected });
  });

  it.each([[["-G", "h.org"]], [["-V"]], [[]], [["-p", "22"]]])("%j name none", (args) => {
    expect(parseSshArguments(args)).toBeUndefined();
  });
});
