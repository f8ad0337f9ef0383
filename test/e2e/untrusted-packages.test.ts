import { createHash } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { strToU8, type Zippable, zipSync } from "fflate";
import { beforeAll, describe, expect, it } from "vitest";
import { scratchFolder, Workspace } from "./workspace.ts";

const scratch = scratchFolder();
const folder = join(scratch, "untrusted");
const wheels = join(scratch, "wheels");
const layout = join(folder, "layout");
const workspace = new Workspace("untrusted", folder);

const module = `
module(name = "app")
bazel_dep(name = "slipway", version = "0.1.0")
local_path_override(module_name = "slipway", path = ${JSON.stringify(process.cwd())})
python = use_extension("@slipway//bazel:extensions.bzl", "python")
python.install(name = "pip", requirements = "//:requirements.txt")
use_repo(python, "pip")
base_images = use_extension("@slipway//bazel:extensions.bzl", "base_images")
base_images.layout(name = "base", path = "layout")
use_repo(base_images, "base")
`;

/** Makes wheels the only packages of the only index, and locks them by their hashes. */
function lock(...packages: readonly { readonly name: string; readonly files: Zippable }[]): void {
  const lines = packages.map(({ name, files }) => {
    const wheel = zipSync({
      ...files,
      [`${name}-1.0.dist-info/METADATA`]: strToU8(`Name: ${name}\nVersion: 1.0\n`),
      ...record(name, files),
    });
    writeFileSync(join(wheels, `${name}-1.0-py3-none-any.whl`), wheel);
    return `${name}==1.0 --hash=sha256:${createHash("sha256").update(wheel).digest("hex")}\n`;
  });
  workspace.write({ "requirements.txt": lines.join("") });
}

function record(name: string, files: Zippable): Zippable {
  const info = `${name}-1.0.dist-info`;
  const names = [...Object.keys(files), `${info}/METADATA`, `${info}/RECORD`];
  return {
    [`${info}/WHEEL`]: strToU8("Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
    [`${info}/RECORD`]: strToU8(names.map((each) => `${each},,\n`).join("")),
  };
}

function build(target: string) {
  return workspace.bazel(["build", target], { env: { PIP_NO_INDEX: "1", PIP_FIND_LINKS: wheels } });
}

beforeAll(() => {
  for (const each of [folder, wheels, layout]) mkdirSync(each, { recursive: true });
  workspace.write({ "MODULE.bazel": module, "BUILD.bazel": "" });
});

describe("a wheel", () => {
  it("is refused with its name before it writes outside of its repository", async () => {
    const outside = join(scratch, "outside");
    const up = `${"../".repeat(30)}${outside.slice(1)}`;
    lock({ name: "escape", files: { [up]: strToU8("taken over\n") } });
    const { status, stderr } = await build("@pip//:packages");
    expect(existsSync(outside)).toBe(false);
    expect(status).not.toBe(0);
    expect(stderr).toContain("escape-1.0-py3-none-any.whl");
  });

  it("cannot run code of its own in a BUILD file by the names of its files", async () => {
    const name = 'inj"); print("injected code ran"); dict(a = "';
    lock(...["one", "two"].map((each) => ({ name: each, files: { [`${name}/${each}.py`]: strToU8("") } })), {
      name: "three",
      files: { [`${name}.py`]: strToU8("") },
    });
    const { status, stderr } = await build("@pip//:packages");
    expect(stderr).not.toContain("injected code ran");
    expect({ status, stderr }).toMatchObject({ status: 0 });
  });

  it("is refused with its name if Bazel has no label for a file", async () => {
    lock({ name: "colon", files: { "colon/a:b": strToU8("") } });
    const { status, stderr } = await build("@pip//:packages");
    expect(status).not.toBe(0);
    expect(stderr).toContain("colon-1.0-py3-none-any.whl");
  });
});

describe("an OCI layout", () => {
  it.each(["sha256:../../../taken", `sha256:${"../".repeat(21)}a`, `sha256:${"A".repeat(64)}`])(
    "is refused if it names a layer %s",
    async (digest) => {
      writeFileSync(join(folder, "taken"), "a file of the build host\n");
      const store = (value: object) => {
        const bytes = Buffer.from(JSON.stringify(value));
        const hex = createHash("sha256").update(bytes).digest("hex");
        workspace.write({ [`layout/blobs/sha256/${hex}`]: bytes.toString() });
        return { digest: `sha256:${hex}`, size: bytes.length };
      };
      const diffId = `sha256:${"0".repeat(64)}`;
      const config = store({ os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: [diffId] } });
      const manifest = store({ schemaVersion: 2, config, layers: [{ digest, size: 25, mediaType: "text/plain" }] });
      workspace.write({ "layout/index.json": JSON.stringify({ schemaVersion: 2, manifests: [manifest] }) });
      const { status, stderr } = await build("@base//image");
      expect(status).not.toBe(0);
      expect(stderr).toContain("base image ");
      expect(stderr).toContain(digest);
      expect(stderr).toContain("Do not use this layout");
    },
  );
});
