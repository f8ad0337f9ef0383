import { createHash } from "node:crypto";
import { globSync, mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readAptSources } from "../../src/debian/apt-sources.ts";
import { formatLock, type LockedPackage } from "../../src/debian/lock.ts";
import { findMirrors } from "../../src/debian/mirrors.ts";
import { moduleOf, scratchFolder, Workspace } from "./workspace.ts";

const folder = join(scratchFolder(), "pinned-bases");
const workspace = new Workspace("pinned-bases", folder);

/** Versions that no mirror has. Nothing is built, so nobody reads the packages. */
const dash = oldPackage("dash");
const libc = oldPackage("libc6");
/** Moments at which the archive of all versions has them, has nothing, and does not listen. */
const [whole, empty, silent] = ["20260101T000000Z", "20260102T000000Z", "20260103T000000Z"];

/** Stands for a mirror, which has Debian's index and newest packages, and for the archive of all versions. */
const seen: string[] = [];
const upstream = findMirrors(["bookworm"], "", readAptSources()).debian;
const server = createServer((request, response) => {
  const url = request.url ?? "";
  seen.push(url);
  const [, host, path = ""] = /^\/([^/]+)\/(.*)$/.exec(url) ?? [];
  const old = [dash, libc].find((each) => url.endsWith(each.path));
  if (old && path.includes(whole)) response.end(old.content);
  else if (host === "mirror" && !old)
    response.writeHead(302, { location: `${upstream}/${path.slice("debian/".length)}` }).end();
  else response.writeHead(404).end();
});

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
  const [here, nowhere] = [server, closed].map((each) => `http://127.0.0.1:${(each.address() as AddressInfo).port}`);
  await new Promise((resolve) => closed.close(resolve));
  const bases = [
    ["archived", whole, here, false],
    ["strict", empty, here, false],
    ["newer", empty, here, true],
    ["silent", silent, here, true],
    ["nothing", silent, nowhere, true],
    ["older_lock", undefined, here, false],
  ] as const;
  mkdirSync(folder, { recursive: true });
  workspace.write({
    "BUILD.bazel": "",
    "MODULE.bazel": moduleOf(
      "pinned",
      `base_images = use_extension("@slipway//bazel:extensions.bzl", "base_images")
${bases
  .map(
    ([name, , mirror, newer]) => `
base_images.debian(name = "${name}", lock = "//:${name}.lock", mirror = "${mirror}/mirror/debian", allow_newer = ${newer ? "True" : "False"})
use_repo(base_images, "${name}")`,
  )
  .join("\n")}
`,
    ),
    downloader: `
rewrite snapshot.debian.org/(archive/debian/${silent}/.*) ${nowhere}/archive/$1
rewrite snapshot.debian.org/(.*) ${here}/archive/$1
`,
    ...Object.fromEntries(bases.map(([name, snapshot]) => [`${name}.lock`, lockOf(snapshot)])),
  });
});
afterAll(async () => {
  await workspace.bazel(["shutdown"]);
  server.close();
});
beforeEach(() => {
  seen.length = 0;
});

describe("a base whose locked packages the mirror no longer has", () => {
  it("is made of the same ones, from Debian's archive of all versions", async () => {
    const { status, stderr } = await fetched("archived");
    expect([status, stderr]).toEqual([0, expect.not.stringContaining("newest")]);
    expect(packagesOf("archived")).toEqual({ "dash.deb": dash.content, "libc6.deb": libc.content });
    const asked = seen.filter((url) => url.startsWith("/archive/"));
    expect(asked.sort()).toEqual([dash, libc].map(({ path }) => `/archive/archive/debian/${whole}/${path}`));
  });

  it("is an error that names both places where the archive lacks them too", async () => {
    const { status, stderr } = await fetched("strict");
    expect(status).not.toBe(0);
    for (const part of ["/mirror/debian", `snapshot.debian.org/archive/debian/${empty}`, "dash 0.0.1-1", "newest: "]) {
      expect(stderr).toContain(part);
    }
  });

  it.each([
    ["newer", "the archive lacks them"],
    ["silent", "the archive does not answer"],
  ])("%s: takes newer ones as the last resort where %s, and names both versions", async (name) => {
    const { status, stderr } = await fetched(name);
    expect(status, stderr).toBe(0);
    expect(stderr).toMatch(/dash 0\.0\.1-1 -> \d\S+, libc6 0\.0\.1-1 -> \d/);
    expect(stderr).toContain("snapshot.debian.org");
    expect(packagesOf(name)["dash.deb"]).toMatch(/^!<arch>/);
    // One package told that there is nothing.
    expect(seen.filter((url) => url.startsWith("/archive/")).length).toBeLessThanOrEqual(1);
  });

  it("is an error that names both places where nothing can be reached", async () => {
    const { status, stderr } = await fetched("nothing");
    expect(status).not.toBe(0);
    for (const part of ["/mirror/debian", `snapshot.debian.org/archive/debian/${silent}`, "dash 0.0.1-1"]) {
      expect(stderr).toContain(part);
    }
  });

  it("asks the mirror alone with a lock that names no moment", async () => {
    const { status, stderr } = await fetched("older_lock");
    expect([status, stderr]).toEqual([
      expect.any(Number),
      expect.stringContaining("slipway image lock older_lock.lock"),
    ]);
    expect(status).not.toBe(0);
    expect(seen.filter((url) => url.startsWith("/archive/"))).toEqual([]);
  });
});

function oldPackage(name: string): LockedPackage & { readonly content: string } {
  const content = `!<arch>\n${name}\n`;
  return {
    name,
    version: "0.0.1-1",
    archive: "debian",
    path: `pool/main/${name[0]}/${name}/${name}_0.0.1-1_amd64.deb`,
    sha256: createHash("sha256").update(content).digest("hex"),
    size: content.length,
    content,
  };
}

function lockOf(snapshot: string | undefined): string {
  return formatLock({
    suites: ["bookworm"],
    components: ["main"],
    architecture: "amd64",
    packages: ["dash", "libc6"],
    excluded: ["debianutils", "dpkg", "libgcc-s1"],
    ...(snapshot === undefined ? {} : { snapshot }),
    locked: [dash, libc],
  });
}

function fetched(name: string) {
  return workspace.bazel([
    "query",
    "--repository_cache=",
    `--experimental_downloader_config=${join(folder, "downloader")}`,
    `@${name}//:all`,
  ]);
}

/** The first bytes of the packages that a base has. */
function packagesOf(name: string): Record<string, string> {
  const [repository = ""] = globSync(`external/*${name}`, { cwd: workspace.outputBase });
  const packages = join(workspace.outputBase, repository, "packages");
  return Object.fromEntries(
    globSync("*.deb", { cwd: packages })
      .sort()
      .map((file) => [file, readFileSync(join(packages, file), "latin1").slice(0, 20)]),
  );
}
