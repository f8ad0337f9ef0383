import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, createReadStream, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { copyFile, readdir } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { PackageHosts } from "./package-hosts.ts";
import { Registry } from "./registry.ts";
import { command, scratchFolder, Workspace } from "./workspace.ts";

const scratch = scratchFolder();
const hosts = new PackageHosts();
const platform = `linux-${process.arch}`;
const rule = "bazel/private/node/node_repository.bzl";
const release = /^_VERSION = "(.*)"$/m.exec(readFileSync(rule, "utf8"))?.[1];
const archive = `/nodejs/dist/v${release}/node-v${release}-${platform}.tar.xz`;

/** A machine without node and npm whose Bazel has downloaded nothing. */
class BareWorkspace extends Workspace {
  readonly #path: string;

  constructor(name: string, path: string) {
    super(name);
    this.#path = path;
    const cache = join(scratch, `cache-${name}`);
    const home = join(scratch, `home-${name}`);
    mkdirSync(home, { recursive: true });
    const downloader = join(scratch, "downloader.cfg");
    writeFileSync(downloader, hosts.downloaderConfig);
    this.options = [
      `--repository_cache=${cache}/repositories`,
      `--experimental_downloader_config=${downloader}`,
      `--repo_env=HOME=${home}`,
      `--repo_env=XDG_CACHE_HOME=${cache}`,
      `--repo_env=npm_config_registry=${hosts.registry}`,
      // So that nothing comes from an output of another test.
      "--disk_cache=",
    ];
  }

  readonly options: readonly string[];

  override get env(): Record<string, string> {
    return { ...super.env, PATH: this.#path };
  }
}

const programs = join(scratch, "programs");
/** The machine's own npm, and the Node that it needs. */
const npmPrograms = join(scratch, "npm");

beforeAll(async () => {
  await hosts.start();
  await linkPrograms();
});
afterAll(() => hosts.stop());

it("both commands of the README run where there is no node and no npm, with Node's release from its own host", async () => {
  await makeRelease();
  const workspace = new BareWorkspace("release", programs);
  const registry = new Registry(workspace);
  try {
    const [run, test] = ["run", "test"].map((name) => [name, ...workspace.options]) as [string[], string[]];
    const stdout = await workspace.stdout([...run, "//examples/quickstart:report"]);
    expect(stdout).toMatch(/^image: localhost:\d+\/examples\/quickstart@sha256:[0-9a-f]{64}\n/);
    await registry.verifyNamed("examples/quickstart", stdout);
    const { status, stderr } = await workspace.bazel([...test, "//src/core:core_test"]);
    expect(status, stderr).toBe(0);
  } finally {
    await registry.stop();
    await workspace.bazel(["shutdown"]);
  }
  expect(hosts.requests.filter((path) => path.startsWith("/nodejs/"))).toEqual([archive]);
  expect(hosts.requests.filter((path) => path.includes("/node-linux-"))).toEqual([]);
  expect(hosts.requests.filter((path) => path.startsWith("/pnpm/"))).toHaveLength(1);
});

it("the npm package brings the same Node where that host does not", async () => {
  hosts.requests.length = 0;
  hosts.serve(archive, "/dev/null");
  const workspace = new BareWorkspace("package", `${npmPrograms}${delimiter}${programs}`);
  const label = `@slipway_node_linux_${process.arch === "x64" ? "x86_64" : "aarch64"}//:node`;
  try {
    await workspace.stdout(["build", ...workspace.options, label]);
  } finally {
    await workspace.bazel(["shutdown"]);
  }
  expect([...new Set(hosts.requests)]).toEqual([
    archive,
    `/node-${platform}`,
    `/node-${platform}/-/node-${platform}-${release}.tgz`,
  ]);
  const external = join(workspace.outputBase, "external");
  const folder = (await readdir(external)).find(
    (name) => /slipway_node_linux_\w+$/.test(name) && !name.startsWith("@"),
  );
  expect(await sha256(join(external, folder ?? "", "node"))).toBe(await sha256(process.execPath));
});

/** Where a program of this machine really is. */
const programOf = (name: string) => realpathSync(execFileSync("which", [name], { encoding: "utf8" }).trim());

/** All programs of this machine but those that a bare one lacks, and npm's apart. */
async function linkPrograms(): Promise<void> {
  mkdirSync(programs);
  mkdirSync(npmPrograms);
  for (const name of ["node", "npm"]) symlinkSync(programOf(name), join(npmPrograms, name));
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    for (const name of await readdir(folder).catch(() => [])) {
      if (/^(node|nodejs|npm|npx|pnpm|pnpx|yarn|corepack)$/.test(name)) continue;
      try {
        symlinkSync(join(folder, name), join(programs, name));
      } catch {
        // A folder before it on PATH has one of this name.
      }
    }
  }
}

/** An archive like Node's, of the Node that runs this test, and its hash in the rule. */
async function makeRelease(): Promise<void> {
  const name = `node-v${release}-${platform}`;
  const file = join(scratch, "node.tar.xz");
  mkdirSync(join(scratch, name, "bin"), { recursive: true });
  await copyFile(process.execPath, join(scratch, name, "bin/node"));
  mkdirSync(join(scratch, name, "lib/node_modules"), { recursive: true });
  cpSync(join(programOf("npm"), "../.."), join(scratch, name, "lib/node_modules/npm"), { recursive: true });
  writeFileSync(join(scratch, name, "README.md"), "");
  const { status, stderr } = await command(["tar", "-C", scratch, "-cJf", file, name], {
    PATH: process.env["PATH"] ?? "",
    XZ_OPT: "-0",
  });
  expect(status, stderr).toBe(0);
  const pinned = new RegExp(`(release = "${platform}",\\s+sha256 = ")[0-9a-f]{64}`);
  const text = readFileSync(rule, "utf8");
  expect(text).toMatch(pinned);
  writeFileSync(rule, text.replace(pinned, `$1${await sha256(file)}`));
  hosts.serve(archive, file);
}

async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
