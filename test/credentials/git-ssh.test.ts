import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { clone, makeRepository, serveSsh } from "./testdata/git.ts";
import { Installed } from "./testdata/installed.ts";
import { Moto } from "./testdata/moto.ts";

const region = "eu-central-1";
const keys = newKey();
/** The part of a key that is one of its kind. */
const secrets = [keys.one, keys.locked].map((key) => key.split("\n")[2] as string);
const user = new Installed(secrets);
const me = userInfo().username;
let keyFile: string;
let url: string;

function newKey(): { one: string; public: string; locked: string } {
  const folder = mkdtempSync(join(tmpdir(), "slipway-keys-"));
  const file = (name: string) => readFileSync(join(folder, name), "utf8");
  const kind = ["-q", "-t", "rsa", "-b", "2048", "-C", "test"];
  for (const [name, passphrase] of Object.entries({ one: "", locked: "a passphrase" })) {
    execFileSync("ssh-keygen", [...kind, "-N", passphrase, "-f", join(folder, name)]);
  }
  const made = { one: file("one"), public: file("one.pub"), locked: file("locked") };
  rmSync(folder, { recursive: true });
  return made;
}

beforeAll(async () => {
  const root = join(user.folder, "server");
  mkdirSync(root);
  makeRepository(root, "app.git", user.env);
  const server = await serveSsh(root, keys.public);
  url = `ssh://${me}@127.0.0.1:${server.port}${root}/app.git`;
  const known = user.write("known_hosts", server.knownHosts);
  keyFile = user.write("key", keys.one);
  const options = `-F none -o BatchMode=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile=${known}`;
  const command = `${join(user.bin, "git-ssh-slipway")} ${options}`;
  await user.run("git", ["config", "--global", "core.sshCommand", command]);
  const moto = await Moto.start(user.daemons);
  await moto.createSecret(region, "deploy", JSON.stringify({ private_key: keys.one.trimEnd() }));
  await moto.createSecret(region, "locked", JSON.stringify({ private_key: keys.locked }));
  Object.assign(user.env, moto.env(region));
});

async function add(...source: string[]): Promise<void> {
  const args = ["credentials", "add", "--service", "git", "--url", `ssh://${me}@${new URL(url).host}`, ...source];
  expect(await user.slipway(...args)).toMatchObject({ status: 0 });
}

describe("a private repository over SSH", () => {
  it("cannot be cloned without a key", async () => {
    expect((await clone(user, url)).stderr).toMatch(/Permission denied \(publickey\)/);
  });

  it("is cloned with the key of a file", async () => {
    await add("--ssh-key", keyFile);
    expect(await clone(user, url)).toMatchObject({ hello: "hello from app.git\n" });
  });

  it("is cloned with the key of an AWS secret, which is never in a file", async () => {
    await add("--aws-secret", "deploy");
    expect(await clone(user, url)).toMatchObject({ hello: "hello from app.git\n" });
    expect(readdirSync(user.env["TMPDIR"] as string)).toEqual([]);
  });

  it("says which key it does not take", async () => {
    await add("--aws-secret", "locked");
    expect((await clone(user, url)).stderr).toMatch(/private_key[\s\S]*\[credential-invalid\]/);
    await add("--aws-secret", "missing");
    expect((await clone(user, url)).stderr).toMatch(/AWS secret missing .*eu-central-1[\s\S]*\[credential-invalid\]/);
    await add("--ssh-key", keyFile);
    chmodSync(keyFile, 0o644);
    expect((await clone(user, url)).stderr).toMatch(/SSH key \S+key .*644[\s\S]*\[folder-unsafe\]/);
    chmodSync(keyFile, 0o600);
  });
});

user.keepsSecrets("key");
