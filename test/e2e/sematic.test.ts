import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Registry } from "./registry.ts";
import { moduleOf, scratchFolder, Workspace } from "./workspace.ts";

const folder = join(scratchFolder(), "sematic");
const workspace = new Workspace("sematic", folder);
const registry = new Registry(workspace);

const pip = `
python = use_extension("@slipway//bazel:extensions.bzl", "python")
python.install(name = "pip", requirements = "//:requirements.txt")
use_repo(python, "pip")
`;

const build = `
load("@slipway//bazel:python.bzl", "py_pipeline")
[
    py_pipeline(
        name = name,
        main = "main.py",
        bases = {"slim": "@slipway//bazel/settings:default_base"},
        image_env = image_env,
        deps = ["@pip//:packages"],
    )
    for name, image_env in {
        "main": ["SEMATIC_CONTAINER_IMAGE_URIS"],
        "single": ["SEMATIC_CONTAINER_IMAGE"],
    }.items()
]
`;

/** As its documentation has it; Slipway's own package is asked too. */
const program = `
import json
from sematic import has_container_image
from sematic.container_images import get_image_uris
import slipway

print(has_container_image())
if has_container_image():
    print(json.dumps(get_image_uris()))
    print(slipway.container_image())
`;

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  cpSync("test/e2e/sematic_requirements.txt", join(folder, "requirements.txt"));
  workspace.write({
    "MODULE.bazel": moduleOf("sematic_user", pip),
    "BUILD.bazel": "",
    "flow/BUILD.bazel": build,
    "flow/main.py": program,
  });
});
afterAll(() => registry.stop());

const address = /^localhost:\d+\/flow@sha256:[0-9a-f]{64}$/;
const run = async (target: string, env = {}) =>
  (await workspace.stdout(["run", `//flow:${target}`], { env })).trimEnd().split("\n");

describe("Sematic's client, unmodified, from PyPI", () => {
  it("sees the images of a pipeline, by tag, as they were pushed", async () => {
    const [has, uris = "", ours] = await run("main");
    expect(has).toBe("True");
    expect(JSON.parse(uris)).toEqual({ default: ours, slim: ours });
    expect(ours).toMatch(address);
    await registry.verifyNamed("flow", ours ?? "");
  });

  it("sees none when the program runs alone", async () => {
    expect(await run("main_local")).toEqual(["False"]);
  });

  it("sees the default image by its other variable, and an image of the user's own by either", async () => {
    const [has, uris = "", ours] = await run("single_binary");
    expect([has, JSON.parse(uris)]).toEqual(["True", { default: ours }]);
    expect(ours).toMatch(address);
    const own = "registry.example.com/own/image:v1";
    const env = { SLIPWAY_CONTAINER_IMAGE: own };
    expect(await run("single", env)).toEqual(["True", `{"default": "${own}"}`, own]);
    expect(JSON.parse((await run("main", env))[1] ?? "")).toEqual({ default: own, slim: own });
  });
});
