import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { BenchContext } from "../context.ts";
import { DistanceProxy } from "../distance-proxy.ts";
import { writeLayout } from "../layouts.ts";
import { type Contestant, interleave, isInstalled, type Result, resultOf } from "../measure.ts";
import { moduleOf, Workspace } from "../workspace.ts";

/** Milliseconds in each direction. */
const distances = [25, 75];
const layers = 30;
const layerSize = 10_240;

/**
 * Pushes of an image of 30 layers to a registry far away: nothing changed, and one layer changed. The floor is the
 * registry here.
 */
export async function* distanceCases(context: BenchContext): AsyncGenerator<Result> {
  const workspace = new Workspace(context.repository, context.scratch, "distance");
  // Each push of an edit needs a version of its own, and the first one makes the registry known.
  const versions = Array.from({ length: context.rounds + 3 }, (_, index) => {
    const folder = join(context.scratch, `distance_${index}`);
    const sizes = Array.from({ length: layers }, (_, layer) => layerSize + (layer === layers - 1 ? 4 * index : 0));
    // The same seed: all layers but the last one are the same.
    writeLayout(folder, sizes, 1);
    return { name: `distance_${index}`, folder };
  });
  workspace.write({
    "MODULE.bazel": moduleOf(
      context.repository,
      `base_images = use_extension("@slipway//bazel:extensions.bzl", "base_images")
${versions.map(({ name, folder }) => `base_images.layout(name = "${name}", path = "${folder}")\nuse_repo(base_images, "${name}")\n`).join("")}`,
    ),
    "BUILD.bazel": `load("@slipway//bazel:defs.bzl", "image_push")
${versions.map(({ name }) => `image_push(name = "${name}", images = ["@${name}//image"], repository = "${name}")\n`).join("")}`,
  });
  try {
    workspace.bazel("build", ...versions.map(({ name }) => `//:${name}`));
    for (const distance of distances) {
      const far = await DistanceProxy.start(context.registry.host, distance);
      const near = await DistanceProxy.start(context.registry.host, 0);
      try {
        yield* casesAt(context, workspace, versions, { distance, far, near });
      } finally {
        await Promise.all([far.stop(), near.stop()]);
      }
    }
  } finally {
    workspace.stop();
  }
}

type Version = Readonly<Record<"name" | "folder", string>>;

interface Place {
  readonly distance: number;
  readonly far: DistanceProxy;
  readonly near: DistanceProxy;
}

async function* casesAt(
  context: BenchContext,
  workspace: Workspace,
  versions: readonly Version[],
  { distance, far, near }: Place,
): AsyncGenerator<Result> {
  const tools: Record<string, (version: Version, host: string, repository: string) => string[]> = {
    ours: ({ name }, host, repository) => [
      ...[join(workspace.folder, "bazel-bin", name), "--registry", host],
      ...["--repository", repository, "--tag", "v"],
    ],
    crane: ({ folder }, host, repository) => ["crane", "push", "--insecure", folder, `${host}/${repository}:v`],
    skopeo: ({ folder }, host, repository) => [
      ...["skopeo", "copy", "-q", "--dest-tls-verify=false"],
      ...[`oci:${folder}`, `docker://${host}/${repository}:v`],
    ],
  };
  const installed = Object.keys(tools).filter((tool) => tool === "ours" || isInstalled(tool));
  // Both proxies lead to the same registry, so every contestant has a repository of its own.
  const push = (tool: string, version: number, { host } = far) => {
    const repository = `distance/${distance}/${tool}-${host === far.host ? "far" : "near"}`;
    return runBeside(tools[tool]?.(versions[version] as Version, host, repository) ?? [], workspace.env);
  };
  /** Contestants that push a version of each round. */
  const contestants = (version: (round: number) => number): Record<string, Contestant> => ({
    ...Object.fromEntries(installed.map((tool) => [tool, { run: (round) => push(tool, version(round)) }])),
    floor: { run: (round) => push("ours", version(round), near) },
  });
  /** Counts from the proxy, of one push: `requests`, and how many of them `in_a_row`. */
  const counts = async (version: number) => {
    const found: Record<string, number> = {};
    for (const tool of installed) {
      far.passed.splice(0);
      await push(tool, version);
      found[`${tool}_requests`] = far.passed.length;
      found[`${tool}_in_a_row`] = far.inARow;
    }
    return found;
  };
  const roundTrip = (2 * distance) / 1000;

  context.tell(`a registry ${distance} ms away: one line edited`);
  for (const tool of installed) await push(tool, 0);
  await push("ours", 0, near);
  const edited = await interleave(
    contestants((round) => round + 1),
    context.rounds,
  );
  yield resultOf(
    `distance_${distance}_ms_one_line_edited`,
    edited,
    "at most 6 round trips more than the floor",
    (time, floor) => time <= floor + 6 * roundTrip,
    await counts(context.rounds + 2),
  );

  context.tell(`a registry ${distance} ms away: nothing changed`);
  const last = context.rounds + 2;
  await push("ours", last, near);
  const unchanged = await interleave(
    contestants(() => last),
    context.rounds,
  );
  yield resultOf(
    `distance_${distance}_ms_nothing_changed`,
    unchanged,
    "at most 1.2 round trips more than the floor",
    (time, floor) => time <= floor + 1.2 * roundTrip,
    await counts(last),
  );
}

/** Runs a command while this process serves the proxy. @throws Error with what it said when it fails */
async function runBeside([program = "", ...args]: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(program, args, { env, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk) => {
    said += chunk;
  });
  const [status] = await once(child, "close");
  if (status !== 0) throw new Error(`${program} ended with status ${status}:\n${said}`);
}
