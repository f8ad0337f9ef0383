import { cpSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { command, scratchFolder, Workspace } from "./workspace.ts";

const here = new Workspace("here");
const report = "//examples/quickstart:report";

/** What an image is made of: digests of the manifests, the layers and the configurations of both images, by file. */
async function digests(workspace: Workspace, flags: readonly string[] = [], prefix: readonly string[] = []) {
  const images = [`${report}_default_image`, `${report}_slim_image`];
  const { status, stderr } = await workspace.bazel(["build", ...flags, "--output_groups=+digest", report, ...images], {
    prefix,
  });
  if (status !== 0) throw new Error(stderr);
  const folder = join(workspace.folder, "bazel-bin/examples/quickstart");
  const files = readdirSync(folder).filter((name) => /\.(layer|descriptor)\.json$|\.digest$/.test(name));
  const content = Object.fromEntries(files.sort().map((name) => [name, readFileSync(join(folder, name), "utf8")]));
  return { content, processes: /^INFO: \d+ processes?: (.*)\.$/m.exec(stderr)?.[1] ?? "" };
}

describe("the same sources give the same digests", () => {
  let first: Awaited<ReturnType<typeof digests>>;

  beforeAll(async () => {
    first = await digests(here);
  });

  it("for both images and their layers, made by workers", () => {
    const names = Object.keys(first.content);
    expect(names.filter((name) => name.endsWith(".digest"))).toEqual([
      "report_default_image.digest",
      "report_slim_image.digest",
    ]);
    expect(names.filter((name) => name.endsWith(".layer.json"))).toHaveLength(3);
    expect(first.content["report_default_image.digest"]).toMatch(/^sha256:[0-9a-f]{64}\n$/);
    expect(first.processes).toMatch(/\d+ worker/);
  });

  it.each([
    ["sandboxed", ["--spawn_strategy=sandboxed"], /\d+ (linux|darwin)-sandbox/],
    ["local", ["--spawn_strategy=local"], /\d+ local/],
  ] as const)("when each action runs %s", async (_name, flags, seen) => {
    await here.stdout(["clean"]);
    const { content, processes } = await digests(here, flags);
    expect(processes).toMatch(seen);
    expect(processes).not.toContain("worker");
    expect(content).toEqual(first.content);
  });

  it("in another folder, for another user with another umask and other modes of the sources", async () => {
    const folder = join(scratchFolder(), "elsewhere/a/longer/path");
    const ours = /^(node_modules|bazel-.*)$/;
    for (const name of readdirSync(here.folder).filter((name) => !ours.test(name))) {
      cpSync(join(here.folder, name), join(folder, name), { recursive: true });
    }
    await command(["chmod", "-R", "go-rwx", folder], here.env);
    const there = new Workspace("there", folder);
    // In a user namespace of its own a process sees another uid, for itself and as owner of all its files.
    const prefix = [
      "unshare",
      "--user",
      "--map-user=4242",
      "--map-group=4242",
      "sh",
      "-c",
      'umask 077; exec "$@"',
      "sh",
    ];
    const { stdout } = await command([...prefix, "sh", "-c", "id -u; umask"], here.env);
    expect(stdout).toBe("4242\n0077\n");
    expect((await digests(there, [], prefix)).content).toEqual(first.content);
    expect(existsSync(join(folder, "node_modules"))).toBe(false);
  });
});
