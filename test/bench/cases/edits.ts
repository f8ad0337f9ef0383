import { rmSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import type { BenchContext } from "../context.ts";
import { type Contestant, interleave, isInstalled, pigzPeer, type Result, resultOf, run } from "../measure.ts";
import { type BaseImage, editPackage, editProgram } from "../shape.ts";
import type { Workspace } from "../workspace.ts";

/** Bytes never seen before, in this run or an earlier one. */
let edits = Date.now();

/** Cases 1 and 2: nothing changed, and one line of the program edited; push, then run. */
export async function runCases(context: BenchContext, workspace: Workspace, base: BaseImage): Promise<Result[]> {
  const floor = () => void workspace.bazel("run", "//app:main_local");
  const ours = () => void workspace.bazel("run", "//app:main");
  const peers = () => twoStepPeers(workspace, base);
  const results: Result[] = [];

  context.tell("nothing changed: push, then run");
  const unchanged = await interleave({ ours: { run: ours }, floor: { run: floor }, ...peers() }, context.rounds);
  const asked = workspace.requestsDuring(ours);
  results.push(
    resultOf(
      "nothing_changed",
      unchanged,
      "at most 1.25 of the floor, one request per image",
      (time, least) => time <= 1.25 * least && asked.length === 1,
      { requests: asked.length },
    ),
  );

  context.tell("one line edited: push, then run");
  const edit = () => editProgram(workspace, `edit ${edits++}`);
  const edited = await interleave(
    {
      ours: { prepare: edit, run: ours },
      floor: { prepare: edit, run: floor },
      ...Object.fromEntries(Object.entries(peers()).map(([name, peer]) => [name, { prepare: edit, ...peer }])),
    },
    context.rounds,
  );
  edit();
  const sent = workspace.requestsDuring(ours);
  const bytes = sent.reduce((sum, { received }) => sum + received, 0);
  const uploads = sent.filter(({ method, path }) => method !== "HEAD" && path.includes("/blobs/uploads/")).length;
  results.push(
    resultOf(
      "one_line_edited",
      edited,
      "at most 1.75 of the floor; the first-party layer and the manifest leave the machine",
      (time, least) => time <= 1.75 * least && bytes < 20_000,
      { requests: sent.length, uploads, bytes_sent: bytes },
    ),
  );
  return results;
}

/** Case 3: one file of one third-party package edited. */
export async function packageCase(context: BenchContext, workspace: Workspace): Promise<Result> {
  context.tell("one third-party file edited: push, then run");
  const edit = () => editPackage(workspace, edits++);
  const folder = join(workspace.folder, "app");
  const samples = await interleave(
    {
      ours: { prepare: edit, run: () => void workspace.bazel("run", "//app:main") },
      floor: { prepare: edit, run: () => void workspace.bazel("run", "//app:main_local") },
      "tar | gzip -6 of all third-party files": {
        prepare: edit,
        run: () => void run(["sh", "-c", "tar -c node_modules | gzip -6 | cat >/dev/null"], { cwd: folder }),
      },
    },
    context.rounds,
  );
  const anew = samples["tar | gzip -6 of all third-party files"] ?? [];
  const whole = [...anew].sort((a, b) => a - b)[anew.length >> 1] ?? 0;
  edit();
  const sent = workspace.requestsDuring(() => void workspace.bazel("run", "//app:main"));
  return resultOf(
    "one_package_edited",
    samples,
    "at most 0.5 s more than the floor, and that at most a fifth of compressing the layer anew",
    (time, least) => time - least <= 0.5 && time - least <= whole / 5,
    { requests: sent.length, bytes_sent: sent.reduce((sum, { received }) => sum + received, 0) },
  );
}

/** Case 4: the image from nothing. */
export async function fromNothingCase(context: BenchContext, workspace: Workspace): Promise<Result> {
  context.tell("from nothing");
  const folder = join(workspace.folder, "app");
  const jobs = cpus().length;
  const pieces = `ls node_modules | xargs -n ${Math.ceil(30 / jobs)} -P ${jobs} sh -c 'tar -c -C node_modules "$@" | gzip -6 | cat >/dev/null' sh`;
  const samples = await interleave(
    {
      ours: {
        prepare: () => {
          workspace.bazel("clean");
          // What all images have in common: the rules are loaded, the worker runs.
          workspace.bazel("build", "//app:tiny");
        },
        run: () => void workspace.bazel("build", "//app:main_default_image"),
      },
      floor: pigzPeer("node_modules", folder)["tar | pigz -6"] ?? {
        run: () => void run(["sh", "-c", pieces], { cwd: folder }),
      },
      ...buildahPeer(folder),
      "the program alone, by Bazel": {
        prepare: () => void workspace.bazel("clean"),
        run: () => void workspace.bazel("build", "//app:main_local"),
      },
    },
    context.rounds,
  );
  return resultOf(
    "from_nothing",
    samples,
    "at most 0.6 of tar | pigz -6 of the same files",
    (time, least) => time <= 0.6 * least,
  );
}

/**
 * How it is done with tools that only push: build an OCI layout, push it, run the program. Their image has no base,
 * whose layers are not on
 * this machine; their registry asks for no password.
 */
function twoStepPeers(workspace: Workspace, base: BaseImage) {
  const commands: Record<string, (layout: string, reference: string) => string[]> = {
    crane: (layout, reference) => ["crane", "push", "--insecure", layout, reference],
    skopeo: (layout, reference) => [
      "skopeo",
      "copy",
      "-q",
      "--dest-tls-verify=false",
      `oci:${layout}`,
      `docker://${reference}`,
    ],
  };
  const layout = join(workspace.folder, "bazel-bin/app/peer.layout");
  return Object.fromEntries(
    Object.entries(commands).flatMap(([tool, command]) => {
      if (!isInstalled(tool)) return [];
      const run3 = () => {
        workspace.bazel("build", "--output_groups=oci_layout", "//app:peer");
        run(command(layout, `${base.image}:${tool}`), { env: workspace.env });
        workspace.bazel("run", "//app:main_local");
      };
      return [[`bazel build, ${tool}, bazel run`, { run: run3 }]];
    }),
  );
}

/** The same files as one layer of an image, made by buildah: where it may mount, it needs no more than this. */
function buildahPeer(folder: string): Record<string, Contestant> {
  if (!isInstalled("buildah") || process.getuid?.() !== 0) return {};
  const script = `c=$(buildah from scratch) && buildah copy -q "$c" node_modules /app/node_modules >/dev/null &&
    buildah commit -q --rm "$c" oci:"$1" >/dev/null`;
  const layout = join(folder, "../buildah.layout");
  return {
    buildah: {
      prepare: () => rmSync(layout, { recursive: true, force: true }),
      run: () => void run(["sh", "-c", script, "sh", layout], { cwd: folder }),
    },
  };
}
