import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, cpus, homedir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { clusterCase } from "./cases/cluster.ts";
import { distanceCases } from "./cases/distance.ts";
import { fromNothingCase, packageCase, runCases } from "./cases/edits.ts";
import { fanoutCases } from "./cases/fanout.ts";
import { farmCases } from "./cases/farm.ts";
import { growthCases } from "./cases/growth.ts";
import { manyCase } from "./cases/many.ts";
import { policyCases } from "./cases/policy.ts";
import { sbomCases } from "./cases/sbom.ts";
import { sizesCase } from "./cases/sizes.ts";
import { startupCase } from "./cases/startup.ts";
import { throughputCases } from "./cases/throughput.ts";
import { weightsCases } from "./cases/weights.ts";
import type { BenchContext } from "./context.ts";
import { writeLayout } from "./layouts.ts";
import { isInstalled, type Result, run } from "./measure.ts";
import { startPeerRegistry } from "./registries.ts";
import { unpackRelease } from "./release.ts";
import { type BaseImage, writeShape } from "./shape.ts";
import { table } from "./table.ts";
import { Workspace } from "./workspace.ts";

/** Those of the first list are run unasked. */
const usual = ["edits", "many", "throughput", "startup", "growth", "distance", "cluster"] as const;
const groups = [...usual, "fanout", "farm", "from_nothing", "policy", "sbom", "weights"] as const;

const help = `Measures Slipway, what it aims at, and other tools beside it, in the same rounds.
Prints a line of JSON per goal, and for people a table on standard error.

  --rounds N   rounds that are counted, after one that warms up (default: 7)
  --only NAME  one group of cases; may be repeated: ${groups.join(", ")}
               (fanout is run only so: containers of podman, and pods of the cluster in KUBECONFIG, whose nodes must reach this
               machine's loopback, in the namespace SLIPWAY_KUBERNETES_NAMESPACE; farm needs what tools/testing/farm
               needs; from_nothing is one of edits; policy needs podman, and compares
               rules for images with none; sbom compares edits with SBOMs and without; weights needs 3 GB of disk)
  --help       print this
`;

/** Bytes of the base image. */
const baseSize = 80_000_000;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "7" },
    only: { type: "string", multiple: true, default: [...usual] },
    help: { type: "boolean", default: false },
  },
});
const rounds = Number(values.rounds);
const unknown = values.only.filter((name) => !groups.some((group) => group === name));
if (values.help) process.stdout.write(help);
else if (!Number.isInteger(rounds) || rounds < 1)
  fail(`--rounds ${values.rounds} is no number of rounds.`, "Give a whole number from 1 on.");
else if (unknown.length > 0)
  fail(`--only ${unknown[0]}: there is no such group of cases.`, `Give ${groups.join(", ")}.`);
else {
  try {
    await bench();
  } catch (error) {
    process.stderr.write(`bench: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}

function fail(problem: string, remedy: string): void {
  process.stderr.write(`bench: ${problem}\n${remedy}\n`);
  process.exitCode = 2;
}

async function bench(): Promise<void> {
  const repository = process.env["BUILD_WORKSPACE_DIRECTORY"];
  if (!repository) return fail("It was started by hand.", "Start it with tools/bazel run //test/bench.");
  // Not in /tmp, which Bazel's sandbox hides from actions.
  const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "slipway");
  mkdirSync(cache, { recursive: true });
  const scratch = mkdtempSync(join(cache, "bench-"));
  const tell = (text: string) => process.stderr.write(`${text}\n`);
  const registry = await startPeerRegistry(join(scratch, "registry"));
  const tool = (name: string) => resolve(process.argv[1] ?? "", "../../../src", name);
  const context: BenchContext = {
    repository,
    release: unpackRelease(scratch),
    scratch,
    rounds,
    registry,
    slipway: tool("slipway"),
    buildTool: tool("build_tool"),
    tell,
  };
  const results: Result[] = [];
  const add = (...found: readonly Result[]) => {
    for (const result of found) process.stdout.write(`${JSON.stringify(result)}\n`);
    results.push(...found);
  };
  try {
    if (values.only.includes("startup")) add(await startupCase(context));
    if (values.only.includes("edits")) await editCases(context, add);
    else if (values.only.includes("from_nothing")) await editCases(context, add, true);
    if (values.only.includes("sbom")) for await (const result of sbomCases(context, pushBase(context))) add(result);
    if (values.only.includes("policy")) for await (const result of policyCases(context)) add(result);
    if (values.only.includes("weights")) for await (const result of weightsCases(context)) add(result);
    if (values.only.includes("many")) add(await manyCase(context));
    if (values.only.includes("growth")) for await (const result of growthCases(context)) add(result);
    if (values.only.includes("distance")) for await (const result of distanceCases(context)) add(result);
    if (values.only.includes("cluster")) for (const result of await clusterCase(context)) add(result);
    if (values.only.includes("fanout")) for await (const result of fanoutCases(context)) add(result);
    if (values.only.includes("farm")) for await (const result of farmCases(context)) add(result);
    if (values.only.includes("throughput")) add(...(await throughputCases(context)));
  } finally {
    await registry.stop();
    rmSync(scratch, { recursive: true, force: true, maxRetries: 3 });
  }
  tell(
    `\n${cpus()[0]?.model ?? "unknown processor"}, ${availableParallelism()} cores, Node ${process.version}, medians of ${rounds} rounds\n`,
  );
  tell(table(results));
}

/** Makes the base image and pushes it to the peers' registry. */
function pushBase(context: BenchContext): BaseImage {
  const layout = join(context.scratch, "base");
  const digest = writeLayout(layout, [baseSize / 2, baseSize / 4, baseSize / 4], Date.now());
  const image = `${context.registry.host}/base`;
  const copy = isInstalled("skopeo")
    ? ["skopeo", "copy", "-q", "--preserve-digests", "--dest-tls-verify=false", `oci:${layout}`, `docker://${image}:v1`]
    : ["crane", "push", "--insecure", layout, `${image}:v1`];
  run(copy);
  rmSync(layout, { recursive: true });
  return { image, digest };
}

async function editCases(
  context: BenchContext,
  add: (...results: readonly Result[]) => void,
  fromNothingOnly = false,
): Promise<void> {
  const base = pushBase(context);
  const workspace = new Workspace(context.repository, context.scratch, "edits");
  writeShape(workspace, context.release, base);
  try {
    context.tell("first build, with Bazel's start");
    workspace.bazel("run", "//app:main");
    if (!fromNothingOnly) add(...(await runCases(context, workspace, base)));
    if (!fromNothingOnly) add(await packageCase(context, workspace));
    add(await fromNothingCase(context, workspace));
    if (!fromNothingOnly) add(sizesCase(context, workspace, baseSize));
  } finally {
    workspace.stop();
  }
}
