import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { BenchContext } from "../context.ts";
import { median, type Result, resultOf } from "../measure.ts";
import { moduleOf, Workspace } from "../workspace.ts";

const pipelines = 500;

/** What loading and analysis cost, by Bazel's build events and its profile. */
interface Metrics {
  readonly seconds: number;
  /** Heap after a full collection. */
  readonly heapBytes: number;
  /** Configured targets, aspects left out. */
  readonly targets: number;
  readonly aspects: number;
}

/** Case 6: loading and analysis of 500 pipelines in one package, beside 500 bare binaries. */
export async function manyCase(context: BenchContext): Promise<Result> {
  context.tell(`loading and analysis of ${pipelines} pipelines`);
  const workspace = new Workspace(context.repository, context.scratch, "many");
  const numbers = Array.from({ length: pipelines }, (_, index) => index);
  const program = (name: string, number: number) =>
    `program(name = "${name}${number}", main = "main.sh", data = glob(["data/**"]))\n`;
  workspace.write({
    // From the sources every one of them would have the packages of the tools' sources as targets.
    "MODULE.bazel": moduleOf(context.release),
    "program.bzl": `
def _program_impl(ctx):
    script = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.symlink(output = script, target_file = ctx.file.main, is_executable = True)
    return [DefaultInfo(executable = script, runfiles = ctx.runfiles(ctx.files.data))]

program = rule(
    implementation = _program_impl,
    executable = True,
    attrs = {"main": attr.label(allow_single_file = True), "data": attr.label_list(allow_files = True)},
)
`,
    "bare/BUILD.bazel": `load("//:program.bzl", "program")\n${numbers.map((number) => program("b", number)).join("")}`,
    "piped/BUILD.bazel": `load("//:program.bzl", "program")\nload("@slipway//bazel:defs.bzl", "pipeline")\n${numbers
      .map((number) => `${program("b", number)}pipeline(name = "m${number}", binary = ":b${number}")\n`)
      .join("")}`,
    "bare.targets": numbers.map((number) => `//bare:b${number}\n`).join(""),
    "piped.targets": numbers.map((number) => `//piped:m${number}\n`).join(""),
    "one.targets": "//piped:m0\n",
  });
  for (const folder of ["bare", "piped"]) {
    workspace.write({ [`${folder}/main.sh`]: "#!/bin/sh\necho hello\n" });
    for (let file = 0; file < 20; file++) workspace.write({ [`${folder}/data/${file}.txt`]: `${file}\n` });
  }
  try {
    const bare: Metrics[] = [];
    const piped: Metrics[] = [];
    for (let round = 0; round <= context.rounds; round++) {
      for (const [name, list] of round % 2 === 0
        ? ([
            ["bare", bare],
            ["piped", piped],
          ] as const)
        : ([
            ["piped", piped],
            ["bare", bare],
          ] as const)) {
        const metrics = analyse(workspace, name);
        if (round > 0) list.push(metrics);
      }
    }
    const [least, ours] = [
      median(bare.map(({ heapBytes }) => heapBytes)),
      median(piped.map(({ heapBytes }) => heapBytes)),
    ];
    // What the first pipeline needs besides itself, such as tools and a base, is there once for all of them.
    const one = analyse(workspace, "one");
    const each = (count: "targets" | "aspects") => ((piped[0]?.[count] ?? 0) - one[count]) / (pipelines - 1);
    return resultOf(
      "500_pipelines",
      {
        ours: piped.map(({ seconds }) => seconds),
        floor: bare.map(({ seconds }) => seconds),
      },
      "loading and analysis at most 3 times 500 bare binaries, in time and in memory",
      (time, floor) => time <= 3 * floor && ours <= 3 * least,
      {
        heap_bytes: ours,
        floor_heap_bytes: least,
        heap_ratio: Number((ours / least).toFixed(4)),
        targets_per_pipeline: each("targets"),
        aspects_per_pipeline: each("aspects"),
        targets_for_all: one.targets,
      },
    );
  } finally {
    workspace.stop();
  }
}

/** Loads and analyses in a new server. */
function analyse(workspace: Workspace, name: string): Metrics {
  workspace.bazel("shutdown");
  const events = join(workspace.folder, "events.json");
  const profile = join(workspace.folder, "profile.gz");
  workspace.bazel(
    "build",
    "--nobuild",
    `--target_pattern_file=${name}.targets`,
    `--memory_profile=${join(workspace.folder, "memory")}`,
    `--build_event_json_file=${events}`,
    `--profile=${profile}`,
  );
  for (const line of readFileSync(events, "utf8").split("\n")) {
    if (line === "") continue;
    const { buildMetrics } = JSON.parse(line);
    if (!buildMetrics) continue;
    const { targetsConfigured, targetsConfiguredNotIncludingAspects } = buildMetrics.targetMetrics;
    return {
      seconds: phaseSeconds(profile),
      heapBytes: Number(buildMetrics.memoryMetrics.usedHeapSizePostBuild ?? 0),
      targets: Number(targetsConfiguredNotIncludingAspects),
      aspects: Number(targetsConfigured) - Number(targetsConfiguredNotIncludingAspects),
    };
  }
  throw new Error("Bazel told no metrics of its build");
}

/**
 * The phases in which targets are loaded and analysed. The events' own figure for analysis leaves out the loading of
 * what is named.
 */
function phaseSeconds(profile: string): number {
  const { traceEvents } = JSON.parse(gunzipSync(readFileSync(profile)).toString("utf8")) as {
    readonly traceEvents: readonly { readonly name: string; readonly dur?: number }[];
  };
  const phases = ["evaluateTargetPatterns", "runAnalysisPhase"].map((phase) => {
    const found = traceEvents.filter(({ name }) => name === phase);
    if (found.length !== 1) throw new Error(`Bazel's profile has ${found.length} phases ${phase}, not one`);
    return found[0]?.dur ?? 0;
  });
  return phases.reduce((sum, microseconds) => sum + microseconds, 0) / 1e6;
}
