import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeProbe } from "./probe.ts";
import type { Workspace } from "./workspace.ts";

const build = `
load("//bazel:defs.bzl", "image", "image_layer", "pipeline")

image_layer(
    name = "cargo",
    files = {"/cargo.bin": "cargo.bin"},
)

image(name = "empty")

pipeline(
    name = "heavy",
    base = ":empty",
    binary = "//probe:probe.program",
    image_layers = [":cargo"],
)
`;

/** Writes a pipeline `//heavy` that runs the probe, with a layer of as many bytes as the test wants. */
export function writeHeavy(workspace: Workspace): void {
  writeProbe(workspace);
  workspace.write({ "heavy/BUILD.bazel": build });
}

/** Gives `//heavy` new content. Noise, so that it is as long when it is compressed. */
export function loadCargo(workspace: Workspace, bytes: number): void {
  writeFileSync(join(workspace.folder, "heavy/cargo.bin"), randomBytes(bytes));
}
