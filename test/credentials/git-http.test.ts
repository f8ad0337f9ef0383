import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { clone, makeRepository, serveGitHttp } from "./testdata/git.ts";
import { Installed } from "./testdata/installed.ts";

const secret = "ein-sehr-geheimes-wort";
const user = new Installed([secret]);
const root = join(user.folder, "server");
let server: Awaited<ReturnType<typeof serveGitHttp>>;
let passwords: string;

beforeAll(async () => {
  mkdirSync(root);
  for (const name of ["app.git", "other.git"]) makeRepository(root, name, user.env);
  server = await serveGitHttp(root, { username: "u", password: secret });
  passwords = user.write("two lines.txt", `u\n${secret}\n`);
  await user.run("git", ["config", "--global", "credential.helper", join(user.bin, "git-credential-slipway")]);
  await user.run("git", ["config", "--global", "credential.useHttpPath", "true"]);
});

const cloned = (name: string) => clone(user, `${server.url}/${name}`);

async function reset(...add: string[]): Promise<void> {
  for (const { url } of JSON.parse((await user.slipway("credentials", "list", "--json")).stdout)) {
    await user.slipway("credentials", "remove", url);
  }
  if (add.length === 0) return;
  expect(await user.slipway("credentials", "add", "--service", "git", ...add)).toMatchObject({ status: 0 });
}

describe("a private repository over HTTP", () => {
  it("cannot be cloned without a credential", async () => {
    await reset();
    expect((await cloned("app.git")).stderr).toMatch(/could not read Username/);
  });

  it("is cloned with the user name and password of a file, and pushed to", async () => {
    await reset("--url", server.url, "--file", passwords);
    const { hello, copy } = await cloned("app.git");
    expect(hello).toBe("hello from app.git\n");
    const as = ["-C", copy, "-c", "user.name=T", "-c", "user.email=t@example.com"];
    expect((await user.run("git", [...as, "commit", "--allow-empty", "-m", "More"])).status).toBe(0);
    expect(await user.run("git", ["-C", copy, "push"])).toMatchObject({ status: 0 });
    expect(server.asked.filter((each) => /^u .*git-receive-pack/.test(each)).length).toBeGreaterThan(0);
  });

  it("gets only what is for its path", async () => {
    await reset("--url", `${server.url}/app.git`, "--file", passwords);
    expect(await cloned("app.git")).toMatchObject({ status: 0 });
    expect((await cloned("other.git")).stderr).toMatch(/could not read Username/);
  });

  it("ends the clone with the source's name when that cannot be read", async () => {
    const gone = user.write("gone.txt", `u\n${secret}\n`);
    await reset("--url", server.url, "--file", gone);
    user.write("gone.txt", `${secret}\n`);
    const { status, stderr } = await cloned("app.git");
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/file \S+gone\.txt [\s\S]*\[credential-invalid\]/);
    expect(stderr).toMatch(/told us to quit/);
    user.write("gone.txt", "");
  });

  it("is tested: accepted, refused, and not there", async () => {
    await reset("--url", `${server.url}/app.git`, "--file", passwords);
    expect(await user.slipway("credentials", "test")).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/two lines\.txt .*: 127\.0\.0\.1:\d+\/app accepts it\n$/),
    });
    await reset("--url", server.url, "--file", user.write("wrong.txt", "u\nfalsch\n"));
    const refused = await user.slipway("credentials", "test", `${server.url}/app.git`);
    expect(refused).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/127\.0\.0\.1:\d+\/app .*401[\s\S]*\[credential-invalid\]\n$/),
    });
    const nobody = await user.slipway("credentials", "test", "https://elsewhere.example.com/a.git");
    expect(nobody).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/elsewhere\.example\.com\/a\.git[\s\S]*\[credential-not-found\]\n$/),
    });
  });
});

user.keepsSecrets("two lines.txt");
