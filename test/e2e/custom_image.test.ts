import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startDockerRegistry } from "../registries/testdata/docker-registry.ts";
import { proxyTo } from "../registries/testdata/proxy.ts";
import { Registry } from "./registry.ts";
import { command, scratchFolder, Workspace } from "./workspace.ts";

const folder = join(scratchFolder(), "custom");
const workspace = new Workspace("custom", folder);
const embedded = new Registry(workspace);
const env = { SLIPWAY_ENGINE: "container" };

const program = `
import { containerImage, hasContainerImage, inImage, main } from "slipway";

const who = inImage("who", () => process.env["MADE_BY"] ?? "bazel");

await main(async () => {
  console.log(hasContainerImage() ? containerImage() : "no image");
  if (hasContainerImage()) console.log(await who());
});
`;

/** A registry of which every request is seen. */
let registry: Awaited<ReturnType<typeof proxyTo>>;
let custom = "";

async function podman(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await command(["podman", ...args], workspace.env);
  if (status !== 0) throw new Error(`podman ${args.join(" ")}: ${stderr}`);
  return stdout;
}

beforeAll(async () => {
  registry = await proxyTo(await startDockerRegistry({ auth: "none" }));
  mkdirSync(folder, { recursive: true });
  workspace.write({
    "MODULE.bazel": `
module(name = "custom")
bazel_dep(name = "slipway", version = "0.1.0")
local_path_override(module_name = "slipway", path = ${JSON.stringify(process.cwd())})
base_images = use_extension("@slipway//bazel:extensions.bzl", "base_images")
use_repo(base_images, "slim_base")
`,
    "BUILD.bazel": "",
    "app/BUILD.bazel": `
load("@slipway//bazel:defs.bzl", "pipeline")
pipeline(name = "main", base = "@slim_base//image", registry = "${registry.host}")
`,
    "app/main.ts": program,
  });
  // Made by another tool, from what Bazel built: its own program, and something that Bazel knows nothing of.
  const built = (await workspace.stdout(["run", "//app:main_push"])).trim();
  workspace.write({ "image/Containerfile": `FROM ${built}\nENV MADE_BY=podman\n` });
  custom = `${registry.host}/team/custom:v1`;
  await podman("build", "--quiet", "--tls-verify=false", "--tag", custom, join(folder, "image"));
  await podman("push", "--quiet", "--tls-verify=false", custom);
  // The run pulls it, as on any other machine.
  await podman("rmi", "--force", custom);
});
afterAll(async () => {
  await podman("rmi", "--force", "--ignore", custom);
  await embedded.stop();
});

describe("a totally custom image", () => {
  it("meets what Slipway asks for, as slipway image check finds", async () => {
    const checked = await workspace.bazel(["run", "@slipway//:slipway", "--", "image", "check", custom]);
    expect([checked.status, checked.stdout.match(/NOT MET|not tested/)]).toEqual([0, null]);
  });

  it.each(["main", "main_binary", "main_local"])("is what %s runs in and names; nothing is pushed", async (target) => {
    registry.requests.length = 0;
    const stdout = await workspace.stdout(["run", `//app:${target}`], {
      env: { ...env, SLIPWAY_CONTAINER_IMAGE: custom },
    });
    expect(stdout).toBe(`${custom}\npodman\n`);
    expect(registry.requests.filter((request) => !/^(GET|HEAD) /.test(request))).toEqual([]);
    await expect(embedded.status()).rejects.toThrow("no registry runs");
  });

  it("needs no image to be built: main_local alone asks for none of its actions", async () => {
    const actions = await workspace.stdout(["aquery", "mnemonic('Image.*', deps(//app:main_local))"]);
    expect(actions).not.toContain("Mnemonic: Image");
  });

  it("is gone with its variable", async () => {
    expect(await workspace.stdout(["run", "//app:main_local"], { env })).toBe("no image\n");
    const [image, who] = (await workspace.stdout(["run", "//app:main"], { env })).split("\n");
    expect([image?.startsWith(`${registry.host}/app@sha256:`), who]).toEqual([true, "bazel"]);
  });
});
