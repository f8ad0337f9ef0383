import { spawn } from "node:child_process";
import { pipeline } from "node:stream/promises";
import { type ContainerClient, findContainerClient } from "../engine/container/client.ts";
import { ownPlatform } from "../layer/native.ts";
import { formatPlatform } from "../oci/descriptor.ts";
import { Failure, UserError } from "../oci/errors.ts";
import { archive } from "./archive.ts";
import { isDryRun } from "./environment.ts";
import { BuiltImage } from "./image.ts";
import { print, tell } from "./output.ts";
import type { LaunchRequest, RequestedImage } from "./request.ts";
import type { Runfiles } from "./runfiles.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Mode `load`: gives the images to podman or docker, and prints the names under which they are there now. An image that the engine has
 * already only gets its name.
 */
export async function load(
  request: LaunchRequest,
  args: readonly string[],
  runfiles: Runfiles,
  env: Environment,
): Promise<void> {
  if (args.length > 0) {
    throw new UserError(
      `${request.target} loads an image and takes no arguments, but got ${args[0]}.`,
      "Run the image with podman run or docker run once it is loaded.",
    );
  }
  const client = clientOf(env);
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

function clientOf(env: Environment): ContainerClient {
  const search = findContainerClient(env);
  if ("client" in search) return search.client;
  const reasons = search.obstacles.map(({ reason }) => reason);
  throw new UserError(
    `There is nothing to load an image into: ${reasons.length > 0 ? reasons.join(", and ") : "neither podman nor docker is installed"}.`,
    search.obstacles[0]?.remedy ?? "Install podman and runc.",
  );
}

/** Engines run what is for their machine, and many load no index. */
function forThisMachine(image: BuiltImage): BuiltImage {
  const { children } = image;
  if (children.length === 0) return image;
  const { architecture } = ownPlatform();
  const found = children.find(({ descriptor: { platform } }) => platform?.architecture === architecture);
  if (found) return found;
  const platforms = children.map(({ descriptor: { platform } }) => (platform ? formatPlatform(platform) : "?"));
  throw new UserError(
    `Image ${image.requested.tag} is for ${platforms.join(", ")}, and this machine is ${architecture}.`,
    "Push the image and run it where it is for, or add this machine's platform to `platforms`.",
  );
}

/** A name without a registry would be taken for one of Docker Hub's, from where it never came. */
function nameOf({ registry, repository }: RequestedImage): string {
  if (registry) return `${registry}/${repository}`;
  return /^([^/]*\.[^/]*|localhost)\//.test(repository) ? repository : `localhost/${repository}`;
}

async function loadImage(client: ContainerClient, image: BuiltImage, name: string, env: Environment): Promise<void> {
  const parts = image.parts();
  // By the configuration's digest podman and docker know an image, by the manifest's docker on containerd.
  for (const id of [parts.manifest.config.digest, image.descriptor.digest]) {
    if ((await run(client, ["image", "inspect", id], env)).status !== 0) continue;
    if ((await run(client, ["tag", id, name], env)).status === 0) return;
  }
  tell(`slipway: loading ${name} into ${client.name}\n`);
  const { status, said } = await run(client, ["load"], env, archive({ ...parts, descriptor: image.descriptor }, name));
  if (status !== 0) {
    throw new Failure(
      `${client.name} load ended with status ${status}: ${said.trim().split("\n").slice(-3).join(" ")}`,
      `See whether \`${client.name} info\` works, and whether there is room on the disk.`,
    );
  }
}

async function run(
  client: ContainerClient,
  args: readonly string[],
  env: Environment,
  input: AsyncIterable<Uint8Array> = empty(),
): Promise<{ status: number | string; said: string }> {
  const child = spawn(client.path, args, { env: { ...env }, stdio: ["pipe", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-4096);
  });
  const ended = new Promise<number | string>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(code ?? signal ?? 1));
  });
  let failed: unknown;
  await pipeline(input, child.stdin).catch((error) => {
    failed = error;
  });
  const status = await ended;
  // Whoever ends early stops listening; everything else that kept the input from arriving is ours to report.
  if (
    failed !== undefined &&
    !["EPIPE", "ERR_STREAM_PREMATURE_CLOSE"].includes((failed as NodeJS.ErrnoException).code ?? "")
  ) {
    throw failed;
  }
  return { status, said };
}

async function* empty(): AsyncGenerator<Uint8Array> {}
