import { createHash } from "node:crypto";
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { openRegistry } from "../../src/registry/client/open.ts";
import { blobOf } from "../../src/registry/client/testdata/images.ts";
import { inherited } from "../e2e/environment.ts";
import { startDockerRegistry } from "../registries/testdata/docker-registry.ts";
import { user as tokenUser } from "../registries/testdata/suite.ts";
import { startTokenServer } from "../registries/testdata/token-server.ts";
import { Installed } from "./testdata/installed.ts";

// Bazel's server starts several times.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 });

const secret = "ein-sehr-geheimes-wort";
const content = "only for those who may\n";
const user = new Installed([secret]);
const workspace = join(user.folder, "workspace");
const outputBase = join(user.folder, "output");
const asked: string[] = [];
let host: string;
let passwords: string;

/**
 * The machine's own caches and ways out, so that Bazel is not downloaded again; configuration and credentials are the
 * test's.
 */
const env = { ...inherited(), PATH: user.env["PATH"], XDG_RUNTIME_DIR: user.env["XDG_RUNTIME_DIR"], TMPDIR: "/tmp" };

const server = createServer((request, response) => {
  const known = request.headers.authorization === `Basic ${Buffer.from(`u:${secret}`).toString("base64")}`;
  asked.push(`${known ? "u" : "somebody"} ${request.url}`);
  if (known || request.url?.startsWith("/public/")) return void response.end(content);
  response.writeHead(401, { "www-authenticate": 'Basic realm="files"' }).end();
});

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  passwords = user.write("two lines.txt", `u\n${secret}\n`);
  mkdirSync(workspace);
  writeFileSync(join(workspace, "BUILD.bazel"), "");
  writeFileSync(
    join(workspace, "MODULE.bazel"),
    `http_file = use_repo_rule("@bazel_tools//tools/build_defs/repo:http.bzl", "http_file")\n`,
  );
  for (const name of ["private", "other", "public"]) declare(name, `http://${host}/${name}/file`, Buffer.from(content));
});
afterAll(async () => {
  await bazel("shutdown");
  server.close();
});

/** Adds a repository. Bazel takes nothing over plain HTTP that it cannot check. */
function declare(name: string, url: string, bytes: Buffer): void {
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  appendFileSync(
    join(workspace, "MODULE.bazel"),
    `http_file(name = "${name}", url = "${url}", sha256 = "${sha256}")\n`,
  );
}

function downloaded(name: string): string {
  const external = join(outputBase, "external");
  const repository = readdirSync(external).find((each) => each.endsWith(name) && !each.startsWith("@")) ?? "";
  return readFileSync(join(external, repository, "file/downloaded"), "utf8");
}

function bazel(command: string, ...args: string[]) {
  const inWorkspace = `cd "$1" && shift && exec "$@"`;
  const tool = join(process.cwd(), "tools/bazel");
  return user.run("sh", ["-c", inWorkspace, "sh", workspace, tool, `--output_base=${outputBase}`, command, ...args], {
    env,
  });
}

function fetch(repository: string) {
  // A cache of downloads would answer in place of the server.
  const helper = `--credential_helper=${join(user.bin, "bazel-credential-slipway")}`;
  return bazel("build", helper, "--repository_cache=", "--http_connector_attempts=1", `@${repository}//file`);
}

describe("http_file behind a password", () => {
  it("fails without a credential", async () => {
    const { status, stderr } = await fetch("private");
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/401/);
  });

  it("is downloaded with the helper's", async () => {
    const add = ["credentials", "add", "--service", "http", "--url", `http://${host}/private`, "--file", passwords];
    expect(await user.slipway(...add)).toMatchObject({ status: 0 });
    // Bazel keeps what a helper said, none included, as long as its server runs.
    await bazel("shutdown");
    const fetched = await fetch("private");
    expect(fetched, fetched.stderr).toMatchObject({ status: 0 });
    expect(downloaded("private")).toBe(content);
    expect(asked).toContain("u /private/file");
  });

  it("gets no other path's, and public files need none", async () => {
    expect((await fetch("other")).status).not.toBe(0);
    expect(asked.filter((each) => each.endsWith("/other/file"))).not.toContain("u /other/file");
    expect(await fetch("public")).toMatchObject({ status: 0 });
  });

  it("names the source that cannot be read", async () => {
    const path = user.write("bad.txt", "u\nx\n");
    await user.slipway("credentials", "add", "--service", "http", "--url", `http://${host}/other`, "--file", path);
    user.write("bad.txt", "u\n");
    await bazel("shutdown");
    const { status, stderr } = await fetch("other");
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/bad\.txt [\s\S]*\[credential-invalid\]/);
  });
});

describe("http_file of a blob behind a token service", () => {
  it("is downloaded with a token that the helper fetched", async () => {
    const tokens = await startTokenServer();
    const registry = await startDockerRegistry({ auth: tokens });
    const bytes = Buffer.from("only for those with a token\n");
    // JSON is YAML.
    user.write(".config/slipway/config.yaml", JSON.stringify({ registries: { [registry]: tokens.settings } }));
    const { descriptor, open } = blobOf(bytes);
    const client = openRegistry(registry, { findCredential: async () => tokenUser, settings: tokens.settings });
    onTestFinished(() => client.close());
    await client.pushBlob({ repository: "team/app", descriptor, open });
    declare("blob", `http://${registry}/v2/team/app/blobs/${descriptor.digest}`, bytes);
    await bazel("shutdown");
    expect((await fetch("blob")).stderr).toMatch(/401/);
    const lines = user.write("token user.txt", "u\ngeheim\n");
    await user.slipway("credentials", "add", "--service", "docker", "--url", `${registry}/team`, "--file", lines);
    await bazel("shutdown");
    const fetched = await fetch("blob");
    expect(fetched, fetched.stderr).toMatchObject({ status: 0 });
    expect(downloaded("blob")).toBe(bytes.toString());
    await bazel("shutdown");
    expect(tokens.asked.at(-1)).toEqual({ method: "GET", scopes: ["repository:team/app:pull"], by: "password" });
  });
});

user.keepsSecrets("two lines.txt");
