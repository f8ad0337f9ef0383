import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it, onTestFinished } from "vitest";
import { startDockerRegistry } from "../registries/testdata/docker-registry.ts";
import { proxyTo } from "../registries/testdata/proxy.ts";
import { Registry } from "./registry.ts";
import { command, moduleOf, scratchFolder, Workspace } from "./workspace.ts";

const folder = join(scratchFolder(), "custom");
const workspace = new Workspace("custom", folder);
const embedded = new Registry(workspace);
/** podman takes no DOCKER_CONFIG that does not exist yet. */
const env = { SLIPWAY_ENGINE: "container", DOCKER_CONFIG: undefined };

const program = `
import { containerImage, hasContainerImage, inImage, main } from "slipway";

const who = inImage("who", () => process.env["MADE_BY"] ?? "bazel");

await main(async () => {
  console.log(hasContainerImage() ? containerImage() : "no image");
  if (hasContainerImage()) console.log(await who());
});
`;

async function podman(...args: string[]): Promise<string> {
  const { DOCKER_CONFIG: _, ...own } = workspace.env;
  const { status, stdout, stderr } = await command(["podman", ...args], own);
  if (status !== 0) throw new Error(`podman ${args.join(" ")}: ${stderr}`);
  return stdout;
}

/** Writes the pipeline `//app:main`. */
function writeModule(registry: string): void {
  mkdirSync(folder, { recursive: true });
  workspace.write({
    "MODULE.bazel": moduleOf(
      "custom",
      `base_images = use_extension("@slipway//bazel:extensions.bzl", "base_images")\nuse_repo(base_images, "slim_base")\n`,
    ),
    "BUILD.bazel": "",
    "app/BUILD.bazel": `
load("@slipway//bazel:defs.bzl", "pipeline")
pipeline(name = "main", base = "@slim_base//image", registry = "${registry}")
`,
    "app/main.ts": program,
  });
}

/** An image made by another tool, from what Bazel built: its own program, and something that Bazel knows nothing of. */
async function pushCustom(registry: string): Promise<string> {
  const built = (await workspace.stdout(["run", "//app:main_push"])).trim();
  workspace.write({ "image/Containerfile": `FROM ${built}\nENV MADE_BY=podman\n` });
  const custom = `${registry}/team/custom:v1`;
  onTestFinished(async () => void (await podman("rmi", "--force", "--ignore", custom, built)));
  await podman("build", "--quiet", "--tls-verify=false", "--tag", custom, join(folder, "image"));
  await podman("push", "--quiet", "--tls-verify=false", custom);
  // The run pulls it, as on any other machine.
  await podman("rmi", "--force", custom);
  return custom;
}

afterAll(() => embedded.stop());

it("runs in a totally custom image and names it; nothing is pushed, and main_local builds nothing", async () => {
  const registry = await proxyTo(await startDockerRegistry({ auth: "none" }));
  writeModule(registry.host);
  const custom = await pushCustom(registry.host);

  const checked = await workspace.bazel(["run", "@slipway//:slipway", "--", "image", "check", custom]);
  expect([checked.status, checked.stdout.match(/NOT MET|not tested/)], checked.stdout).toEqual([0, null]);

  registry.requests.length = 0;
  for (const target of ["main", "main_binary", "main_local"]) {
    const own = { ...env, SLIPWAY_CONTAINER_IMAGE: custom };
    expect(await workspace.stdout(["run", `//app:${target}`], { env: own })).toBe(`${custom}\npodman\n`);
  }
  expect(registry.requests.length).toBeGreaterThan(0);
  expect(registry.requests.filter((request) => !/^(GET|HEAD) /.test(request))).toEqual([]);
  await expect(embedded.status()).rejects.toThrow("no registry runs");
  const actions = await workspace.stdout(["aquery", "deps(//app:main_local)"]);
  expect(actions).toContain("Mnemonic: TypeScriptBundle");
  expect(actions).not.toContain("Mnemonic: Image");

  // Without the variable, everything is as before.
  expect(await workspace.stdout(["run", "//app:main_local"], { env })).toBe("no image\n");
  const [image, who] = (await workspace.stdout(["run", "//app:main"], { env })).split("\n");
  expect([image?.startsWith(`${registry.host}/app@sha256:`), who]).toEqual([true, "bazel"]);
});
