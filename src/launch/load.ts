import { type ContainerClient, requireContainerClient } from "../containers/client.ts";
import type { Environment } from "../core/environment.ts";
import { Failure, UserError } from "../core/errors.ts";
import { heartbeat } from "../core/heartbeat.ts";
import { runProgram } from "../core/run-program.ts";
import { ownPlatform } from "../layer/native.ts";
import { formatPlatform } from "../oci/descriptor.ts";
import { archive } from "./archive.ts";
import { checkCached, closeCaches } from "./cached-layers.ts";
import { isDryRun } from "./environment.ts";
import { BuiltImage } from "./image.ts";
import { print, tell } from "./output.ts";
import { presentLayers } from "./present-layers.ts";
import type { LaunchRequest, RequestedImage } from "./request.ts";
import type { Runfiles } from "./runfiles.ts";

const help = `Loads the image into podman or docker, unless it is already there, and prints its name.

  --help  Show help

Environment: SLIPWAY_DRY_RUN=1 prints what would be loaded, and loads nothing.
`;

/** Mode `load`: loads the missing layers of the images into podman or docker, and prints their names. */
export async function load(request: LaunchRequest, args: readonly string[], runfiles: Runfiles, env: Environment) {
  if (args[0] === "--help") {
    print(help);
    return;
  }
  if (args.length > 0) {
    throw new UserError(
      { code: "command-line-invalid", culprit: args[0] as string },
      `${request.target} loads an image and takes no arguments, but got ${args[0]}.`,
      "Load the image without arguments, then run it with podman run or docker run.",
    );
  }
  const client = requireContainerClient(env, { asked: request.target, instead: "push the image" });
  for (const requested of request.images) {
    const image = forThisMachine(new BuiltImage(requested, runfiles));
    const names = requested.remoteTags.map((tag) => `${nameOf(requested)}:${tag}`);
    for (const name of names) {
      if (isDryRun(env)) print(`would load ${image.descriptor.digest} into ${client.name} as ${name}\n`);
      else await loadImage(client, image, name, env);
    }
    if (!isDryRun(env)) print(names.map((name) => `${name}\n`).join(""));
  }
}

/** Engines run only that image, and many cannot load an index. */
function forThisMachine(image: BuiltImage): BuiltImage {
  const { children } = image;
  if (children.length === 0) return image;
  const { architecture } = ownPlatform();
  const found = children.find(({ descriptor: { platform } }) => platform?.architecture === architecture);
  if (found) return found;
  const platforms = children.map(({ descriptor: { platform } }) => (platform ? formatPlatform(platform) : "?"));
  throw new UserError(
    { code: "image-unsuitable", culprit: image.requested.tag },
    `Image ${image.requested.tag} is for ${platforms.join(", ")}, and this machine is ${architecture}.`,
    "Push the image and run it on such a machine, or add this machine's platform to `platforms`.",
  );
}

/** Adds `localhost/` to a name without a registry, which would look like an image of Docker Hub. */
function nameOf({ registry, repository }: RequestedImage): string {
  if (registry) return `${registry}/${repository}`;
  return /^([^/]*\.[^/]*|localhost)\//.test(repository) ? repository : `localhost/${repository}`;
}

async function loadImage(client: ContainerClient, image: BuiltImage, name: string, env: Environment): Promise<void> {
  const parts = image.parts();
  // podman and docker identify images by the configuration's digest, docker on containerd by the manifest's.
  for (const id of [parts.manifest.config.digest, image.descriptor.digest]) {
    if ((await runProgram(client.path, ["image", "inspect", id], { env })).status !== 0) continue;
    if ((await runProgram(client.path, ["tag", id, name], { env })).status === 0) return;
  }
  const write = (line: string) => tell(`slipway: ${line}\n`);
  const endHeartbeat = heartbeat(`loading ${name} into ${client.name}`, { write });
  try {
    await loadLayers(client, image, name, env);
  } finally {
    endHeartbeat();
    await closeCaches();
  }
}

async function loadLayers(client: ContainerClient, image: BuiltImage, name: string, env: Environment): Promise<void> {
  const parts = image.parts();
  const whole = { ...parts, descriptor: image.descriptor };
  const present = await presentLayers(client, parts, env);
  const layers = parts.layers.filter(({ descriptor }) => !present.has(descriptor.digest));
  await checkCached(layers);
  if (present.size > 0) {
    if ((await runProgram(client.path, ["load"], { env, input: archive({ ...whole, layers }, name) })).status === 0)
      return;
    // A layer may have been removed meanwhile. An archive with all layers always loads.
  }
  const { status, stderr } = await runProgram(client.path, ["load"], { env, input: archive(whole, name) });
  if (status !== 0) {
    throw new Failure(
      { code: "program-failed", culprit: client.name },
      `${client.name} load ended with status ${status}: ${stderr.trim().split("\n").slice(-3).join(" ")}`,
      `Check that \`${client.name} info\` works, and that the disk has free space.`,
    );
  }
}
