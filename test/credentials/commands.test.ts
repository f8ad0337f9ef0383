import { cpSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Installed } from "./testdata/installed.ts";

const secret = "ein-sehr-geheimes-wort";
const user = new Installed([secret]);
const store = join(user.env["XDG_CONFIG_HOME"] as string, "slipway/credentials.json");
const url = ["--service", "docker", "--url", "registry.example.com"];
const asU = [...url, "--username", "u"];

function add(args: readonly string[], input = "") {
  return user.run("slipway", ["credentials", "add", ...args], { input });
}

describe("slipway credentials add", () => {
  it.each<[string, string[], string, string]>([
    ["no source", url, "command-line-invalid", "slipway credentials add"],
    ["two sources", [...url, "--file", "/a", "--aws-secret", "b"], "command-line-invalid", "slipway credentials add"],
    ["no URL", ["--service", "docker", "--file", "/a"], "command-line-invalid", "--url"],
    ["no such service", ["--service", "ftp", "--url", "h.org", "--file", "/a"], "command-line-invalid", "--service"],
    ["a URL that is none", ["--service", "docker", "--url", "a b", "--file", "/a"], "credential-invalid", "a b"],
    ["a name that is none", [...url, "--name", "a/b", "--file", "/a"], "command-line-invalid", "--name"],
    ["a file that is not there", [...url, "--file", "/nowhere"], "credential-invalid", "registry.example.com"],
    ["a password without its user", [...url, "--password-stdin"], "command-line-invalid", "--username"],
    ["a user for a file", [...url, "--file", "/a", "--username", "u"], "command-line-invalid", "--username"],
    ["a region for a file", [...url, "--file", "/a", "--region", "x"], "command-line-invalid", "--region"],
    ["a key for a registry", [...url, "--ssh-key", "/a"], "command-line-invalid", "--ssh-key"],
    // The secret itself, by mistake: what the command line says stays out of the error.
    ["a variable that is none", [...asU, "--password-env", "geheim!"], "command-line-invalid", "--password-env"],
    ["nothing on stdin", [...asU, "--password-stdin"], "command-line-invalid", "--password-stdin"],
  ])("refuses %s", async (_, args, code, culprit) => {
    const { status, stdout, stderr } = await add(args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain(culprit);
    expect(stderr).toContain(`[${code}]\n`);
    expect(stderr).not.toContain("geheim");
  });

  it("keeps a password from stdin for its user alone, and shows it nowhere", async () => {
    expect(await add([...url, "--name", "team", "--username", "u", "--password-stdin"], `${secret}\n`)).toMatchObject({
      status: 0,
    });
    expect(statSync(store).mode & 0o777).toBe(0o600);
    expect(JSON.parse((await user.slipway("credentials", "list", "--json")).stdout)).toEqual([
      { name: "team", service: "docker", url: "registry.example.com", source: { kind: "stored", username: "u" } },
    ]);
    expect((await user.slipway("credentials", "list")).stdout).toBe(
      "docker  registry.example.com  the password of u that Slipway keeps  team\n",
    );
    const explained = await user.slipway("credentials", "explain", "registry.example.com/team/app:v1");
    expect(explained.stdout).toMatch(
      /^used +team: the password of u that Slipway keeps .*\nA password of u, from team: /,
    );
    const got = await user.ask("docker-credential-slipway", "get", "registry.example.com");
    expect(JSON.parse(got.stdout)).toMatchObject({ Username: "u", Secret: secret });
  });

  it("is removed by any name of Docker Hub", async () => {
    const file = user.write("hub.txt", "u\np\n");
    await user.slipway("credentials", "add", "--service", "docker", "--url", "docker.io", "--file", file);
    expect(await user.slipway("credentials", "remove", "registry-1.docker.io")).toMatchObject({ status: 0 });
    await user.slipway("credentials", "add", "--service", "docker", "--url", "registry-1.docker.io", "--file", file);
    expect(await user.slipway("credentials", "remove", "docker.io")).toMatchObject({ status: 0 });
  });

  it("is undone by remove, by name or by URL, and by nothing else", async () => {
    const unknown = await user.slipway("credentials", "remove", "other");
    expect(unknown).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/"other"[\s\S]*\[credential-not-found\]\n$/),
    });
    await add(["--service", "git", "--url", "registry.example.com", "--username", "u", "--password-stdin"], secret);
    const both = await user.slipway("credentials", "remove", "registry.example.com");
    expect(both).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/docker and git[\s\S]*--service.* \[command-line-invalid\]\n$/),
    });
    expect(await user.slipway("credentials", "remove", "team")).toMatchObject({ status: 0 });
    expect(await user.slipway("credentials", "remove", "registry.example.com")).toMatchObject({ status: 0 });
    expect((await user.slipway("credentials", "list")).stdout).toBe("");
  });

  it("and a file that is broken end with its name", async () => {
    writeFileSync(store, `{"version": 1, "credentials": [{"password": "${secret}"`);
    for (const args of [["list"], ["explain", "h.org"], ["remove", "a"], ["test"]]) {
      const { status, stderr } = await user.slipway("credentials", ...args);
      expect(status, args.join()).toBe(2);
      expect(stderr, args.join()).toMatch(/credentials\.json[\s\S]*\[file-invalid\]\n$/);
      expect(stderr, args.join()).not.toContain(secret);
    }
    rmSync(store);
  });
});

describe("slipway install", () => {
  const programs = () => readdirSync(join(user.bin, ".slipway"));

  it("again changes nothing, and leaves no draft", async () => {
    const before = programs();
    expect(before).toHaveLength(1);
    expect(await user.slipway("install", user.bin)).toMatchObject({ status: 0 });
    expect(programs()).toEqual(before);
  });

  it("prints the lines for each tool, and whether it must be found first", async () => {
    const here = await user.slipway("install", user.bin);
    expect(here.stdout).toMatch(/^docker, crane/);
    expect(here.stdout).toContain(`common --credential_helper=${user.bin}/bazel-credential-slipway`);
    const elsewhere = await user.slipway("install", join(user.folder, "else where"));
    expect(elsewhere.stdout).toMatch(/^First let the tools find it: export PATH='\S+else where':\$PATH\n/);
    expect(elsewhere.stdout).toMatch(/credential\.helper '\S+else where\/git-credential-slipway'/);
  });

  it("makes programs that work through links, after a move, and without anything else", async () => {
    const moved = join(user.folder, "moved here");
    cpSync(user.bin, moved, { recursive: true });
    const link = join(user.folder, "link");
    symlinkSync("moved here/docker-credential-slipway", link);
    const bare = { PATH: "/usr/bin:/bin", HOME: user.env["HOME"] };
    expect(await user.ask(link, "list", "", bare)).toMatchObject({ status: 0, stdout: "{}\n" });
    const git = await user.ask(join(moved, "git-credential-slipway"), "get", "protocol=https\nhost=h.org\n", bare);
    expect(git).toEqual({ status: 0, stdout: "", stderr: "" });
  });

  it("names the folder that it cannot write to", async () => {
    const file = user.write("file", "");
    const { status, stderr } = await user.slipway("install", join(file, "bin"));
    expect(status).toBe(2);
    expect(stderr).toMatch(/file\/bin[\s\S]*\[installation-failed\]\n$/);
  });
});

user.keepsSecrets();
