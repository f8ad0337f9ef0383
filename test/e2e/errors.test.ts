import { once } from "node:events";
import { chmodSync, copyFileSync, existsSync, mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeProbe } from "./probe.ts";
import { Registry } from "./registry.ts";
import { scratchFolder, Workspace } from "./workspace.ts";

const workspace = new Workspace("launch");
const registry = new Registry(workspace);

beforeAll(() => writeProbe(workspace));
afterAll(() => registry.stop());

/** A package with one pipeline of these attributes. */
function writePipeline(name: string, attributes: string): void {
  const build = `load("//bazel:defs.bzl", "image", "pipeline")\nimage(name = "empty")\nimage(name = "other")\npipeline(\n    name = "main",\n${attributes})\n`;
  workspace.write({ [`wrong/${name}/BUILD.bazel`]: build });
}

describe("a mistake in a BUILD file fails before anything is built", () => {
  it.each([
    [
      "no_entry_point",
      '    base = ":empty",\n',
      ["pipeline //wrong/no_entry_point:main: `entry_point` is not set", "no main.ts", "Set `entry_point`"],
    ],
    [
      "two_bases",
      '    base = ":empty",\n    bases = {"default": ":other"},\n    binary = "//probe:probe_local",\n',
      ["pipeline //wrong/two_bases:main", "`base` is :empty", 'bases["default"] is :other', "Leave one of them out"],
    ],
    [
      "bad_tag",
      '    bases = {"no tag": ":empty"},\n    binary = "//probe:probe_local",\n',
      ["pipeline //wrong/bad_tag:main", '"no tag" is not a valid name for a base', "Use at most 64 letters, digits"],
    ],
    [
      "missing_base",
      '    base = ":lacking",\n    binary = "//probe:probe_local",\n',
      ["//wrong/missing_base:lacking", "wrong/missing_base/BUILD.bazel"],
    ],
    [
      "no_image",
      '    base = "//probe:probe_local",\n    binary = "//probe:probe_local",\n',
      ["//probe:probe_local", "wrong/no_image/BUILD.bazel", "is not an image"],
    ],
  ])("%s", async (name, attributes, parts) => {
    writePipeline(name, attributes);
    const { status, stdout, stderr } = await workspace.bazel(["run", `//wrong/${name}:main`]);
    expect(status).not.toBe(0);
    expect(stdout).toBe("");
    for (const part of parts) expect(stderr).toContain(part);
    expect(stderr).toMatch(new RegExp(`wrong/${name}/BUILD\\.bazel(:|", line )\\d+`));
    expect(stderr).not.toContain("INFO: Running command line");
  });

  it("a program of this machine in an image for another names the file", async () => {
    const [own, other] = process.arch === "x64" ? ["amd64", "arm64"] : ["arm64", "amd64"];
    const platform = `    platform = "//bazel/platforms:linux_${other}",\n`;
    writePipeline("foreign", `    base = ":empty",\n    data = ["tools/native"],\n${platform}`);
    workspace.write({ "wrong/foreign/main.ts": "" });
    mkdirSync(join(workspace.folder, "wrong/foreign/tools"), { recursive: true });
    copyFileSync(realpathSync("/bin/true"), join(workspace.folder, "wrong/foreign/tools/native"));
    const { status, stderr } = await workspace.bazel(["build", "//wrong/foreign:main_default_image"]);
    expect(status).not.toBe(0);
    expect(stderr).toMatch(
      new RegExp(`wrong/foreign/tools/native.* linux/${own}.* linux/${other}[\\s\\S]*\\[platform-mismatch\\]`),
    );
  });

  it("an import of an npm package that is no dependency names the file and line", async () => {
    writePipeline("missing_package", '    base = ":empty",\n');
    workspace.write({
      "wrong/missing_package/main.ts":
        '// A report.\nimport { parse } from "csv-parse/sync";\n\nconsole.log(parse("a"));\n',
    });
    const { status, stdout, stderr } = await workspace.bazel(["run", "//wrong/missing_package:main"]);
    expect(status).not.toBe(0);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/wrong\/missing_package\/main\.ts:2\b.*csv-parse/);
    expect(stderr).toContain("deps");
    expect(stderr).toContain("//wrong/missing_package:main");
  });
});

describe("a mistake that shows at run time ends with one message and status 2", () => {
  it("a tag that was not built", async () => {
    workspace.write({
      "wrong/tag/BUILD.bazel":
        'load("//bazel:defs.bzl", "image", "pipeline")\nimage(name = "empty")\npipeline(\n    name = "main",\n    bases = {"default": ":empty", "slim": ":empty"},\n)\n',
      "wrong/tag/main.ts":
        'import { containerImage, main } from "slipway";\nawait main(() => console.log(containerImage("gpu")));\n',
    });
    const { status, stdout, stderr } = await workspace.bazel(["run", "//wrong/tag:main"]);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^There is no image for the tag gpu: .*default, slim\.\n.*`bases`.* \[image-not-found\]$/m);
  });

  // A port that was free a moment ago, and is nobody's now; and one that is somebody's.
  it.each(["nobody listens on", "listens and never answers"])("a registry that %s", async (what) => {
    const server = createServer(() => {}).listen(0, "127.0.0.1");
    await once(server, "listening");
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    if (what.startsWith("nobody")) await server[Symbol.asyncDispose]();
    const state = `${workspace.state}-unused`;
    const { status, stdout, stderr } = await workspace.bazel(["run", "//probe"], {
      env: { SLIPWAY_REGISTRY: host, XDG_STATE_HOME: state },
    });
    server.close();
    expect(stderr).toMatch(new RegExp(`^slipway: .*${host}.*\\n.* \\[registry-unreachable\\]$`, "m"));
    expect([status, stdout]).toEqual([2, ""]);
    expect(existsSync(state)).toBe(false);
  });

  it("podman that is installed and broken", async () => {
    const folder = join(scratchFolder(), "broken");
    mkdirSync(folder, { recursive: true });
    const podman = join(folder, "podman");
    writeFileSync(podman, "#!/bin/sh\necho 'Error: database is locked' >&2\nexit 125\n");
    chmodSync(podman, 0o755);
    const { status, stdout, stderr } = await workspace.bazel(["run", "//examples/quickstart:report"], {
      env: { SLIPWAY_ENGINE: undefined, PATH: `${folder}:${process.env["PATH"]}` },
    });
    expect(stderr).toContain(podman);
    expect(stderr).toContain("database is locked");
    expect(stderr).toContain("[engine-unavailable]");
    expect(stderr).toContain("SLIPWAY_ENGINE=process");
    // The image is known, a result is not: nothing falls back silently.
    expect(stdout).not.toContain("container ships");
    expect(status).toBe(2);
  });
});
