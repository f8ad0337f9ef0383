import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PackageHosts } from "./package-hosts.ts";
import { type Finished, moduleOf, scratchFolder, Workspace } from "./workspace.ts";

const scratch = scratchFolder();
const folder = join(scratch, "locks");
const workspace = new Workspace("locks", folder);
const hosts = new PackageHosts();

const packageJson = readFileSync("examples/quickstart/package.json", "utf8");
const pnpmLock = readFileSync("examples/quickstart/pnpm-lock.yaml", "utf8");
const pinned = [...pnpmLock.matchAll(/^ {2}(\S+)@(\S+):\n {4}resolution: \{integrity: (\S+)\}/gm)].map(
  ([, name = "", version = "", integrity = ""]) => ({ name, version, integrity }),
);
const packageLock = JSON.stringify({
  lockfileVersion: 3,
  packages: {
    "": { dependencies: JSON.parse(packageJson).dependencies },
    ...Object.fromEntries(pinned.map(({ name, ...entry }) => [`node_modules/${name}`, entry])),
  },
});
const [first] = pinned;
if (!first) throw new Error("the lock of the quickstart pins nothing");
const wrong = `sha512-${Buffer.alloc(64).toString("base64")}`;
const otherJson = packageJson.replace(first.version, "0.0.1");

const pnpm = "npx pnpm@10 install --lockfile-only";
const npm = "npm install --package-lock-only";

const outside = `file:${"../".repeat(30)}${join(scratch, "outside").slice(1)}`;
const folderJson = JSON.stringify({ dependencies: { outside } });
const folderLock = `lockfileVersion: '9.0'

settings:
  autoInstallPeers: true
  excludeLinksFromLockfile: false

importers:

  .:
    dependencies:
      outside:
        specifier: ${outside}
        version: ${outside}

packages:

  outside@${outside}:
    resolution: {directory: ${outside.slice("file:".length)}, type: directory}

snapshots:

  outside@${outside}: {}
`;

/** Name of a repository to what it is made of, the file that its error names, and further parts of the error. */
const broken: Record<string, readonly [packageJson: string, lock: string | undefined, parts: readonly string[]]> = {
  missing_pnpm: [packageJson, undefined, ["does not exist", pnpm]],
  missing_npm: [packageJson, undefined, ["does not exist", npm]],
  outdated_pnpm: [otherJson, pnpmLock, ["//outdated_pnpm:package.json", pnpm]],
  outdated_npm: [otherJson, packageLock, ["//outdated_npm:package.json", npm]],
  version_pnpm: [packageJson, pnpmLock.replace("'9.0'", "'6.0'"), ["6.0", pnpm]],
  version_npm: [packageJson, packageLock.replace('"lockfileVersion":3', '"lockfileVersion":1'), ["1", npm]],
  unpinned_npm: [packageJson, packageLock.replace(`,"integrity":"${first.integrity}"`, ""), [first.name, npm]],
  folder_pnpm: [folderJson, folderLock, ["no integrity for outside", pnpm]],
  integrity_pnpm: [
    packageJson,
    pnpmLock.replace(first.integrity, wrong),
    [`${first.name}@${first.version}`, wrong, first.integrity],
  ],
  integrity_npm: [
    packageJson,
    packageLock.replace(first.integrity, wrong),
    [`${first.name}@${first.version}`, wrong, first.integrity],
  ],
};

beforeAll(async () => {
  await hosts.start();
  mkdirSync(folder, { recursive: true });
  mkdirSync(join(scratch, "outside"));
  writeFileSync(join(scratch, "outside/package.json"), '{"name": "outside", "version": "1.0.0"}');
  const file = (name: string) =>
    name.endsWith("npm") && !name.endsWith("pnpm") ? "package-lock.json" : "pnpm-lock.yaml";
  const all = { ...broken, good_pnpm: [packageJson, pnpmLock], good_npm: [packageJson, packageLock] } as const;
  const installs = Object.keys(all).map((name) => {
    const attribute = file(name) === "package-lock.json" ? "package_lock" : "pnpm_lock";
    return `npm.install(name = "${name}", package_json = "//${name}:package.json", ${attribute} = "//${name}:${file(name)}")`;
  });
  workspace.write({
    "MODULE.bazel": moduleOf(
      "locks",
      `npm = use_extension("@slipway//bazel:extensions.bzl", "npm")
${installs.join("\n")}
npm.install(name = "both", package_json = "//good_npm:package.json", package_lock = "//good_npm:package-lock.json", pnpm_lock = "//good_pnpm:pnpm-lock.yaml")
use_repo(npm, "both", "${Object.keys(all).join('", "')}")
`,
    ),
    "BUILD.bazel": "",
  });
  for (const [name, [json, lock]] of Object.entries(all)) {
    workspace.write({ [`${name}/BUILD.bazel`]: "", [`${name}/package.json`]: json });
    if (lock !== undefined) workspace.write({ [`${name}/${file(name)}`]: lock });
  }
});
afterAll(async () => {
  await workspace.bazel(["shutdown"]);
  await hosts.stop();
});

/** Fetches a repository with nothing in the stores of the package managers. */
function build(repository: string): Promise<Finished> {
  const cache = join(scratch, `cache-${repository}`);
  const environment = [`XDG_CACHE_HOME=${cache}`, `npm_config_cache=${cache}`, `npm_config_registry=${hosts.registry}`];
  return workspace.bazel([
    "build",
    ...environment.map((variable) => `--repo_env=${variable}`),
    `@${repository}//:${first?.name}`,
  ]);
}

describe("npm.install", () => {
  it.each(Object.entries(broken))(
    "%s: says what is wrong with the lock file, and what makes a right one",
    async (name, [, , parts]) => {
      const { status, stderr } = await build(name);
      expect(status).not.toBe(0);
      for (const part of [`npm packages ${name}`, `//${name}:`, ...parts]) expect(stderr).toContain(part);
      // Advice of a package manager that would not help here.
      expect(stderr).not.toMatch(/--force|--no-frozen-lockfile|--update-checksums|npm error/);
    },
  );

  it("downloads a package whose integrity is wrong once, and does not wait to do it again", async () => {
    hosts.requests.length = 0;
    await build("integrity_pnpm");
    expect(
      hosts.requests.filter((path) => path === `/${first.name}/-/${first.name}-${first.version}.tgz`),
    ).toHaveLength(1);
  });

  it("takes one lock file", async () => {
    const { status, stderr } = await build("both");
    expect(status).not.toBe(0);
    expect(stderr).toContain("npm packages both: both `package_lock` and `pnpm_lock` are set");
  });

  it("has the same targets whichever package manager wrote the lock", async () => {
    for (const name of ["good_pnpm", "good_npm"]) {
      const { status, stderr } = await build(name);
      expect(status, stderr).toBe(0);
    }
    const [one = "", other = ""] = await Promise.all(["good_pnpm", "good_npm"].map(buildFile));
    expect(other).toBe(one.replaceAll('"pnpm-lock.yaml"', '"package-lock.json"'));
    expect(one).toContain(`name = "${first.name}"`);
  });
});

async function buildFile(repository: string): Promise<string> {
  const folder = await workspace.stdout(["query", "--output=location", `@${repository}//:${first?.name}`]);
  return readFileSync(folder.slice(0, folder.indexOf(":")), "utf8");
}
