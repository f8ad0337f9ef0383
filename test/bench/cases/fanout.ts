import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { BenchContext } from "../context.ts";
import { isInstalled, type Result, resultOf, run } from "../measure.ts";

const rounds = 3;
const trivial = 10_000;

/** What //test/bench/fanout:squares says. */
interface Said {
  readonly seconds: number;
  readonly isRight: boolean;
  /** Of the workers' time, what is the function's. */
  readonly share?: number;
}

/**
 * Case 10: calls of functions, in processes, containers and, with KUBECONFIG, pods. The floor is Python's
 * ProcessPoolExecutor, with its start, as many workers and the same items; Ray stands beside it where it is installed.
 */
export async function* fanoutCases(context: BenchContext): AsyncGenerator<Result> {
  const engines = ["process"];
  if (isInstalled("podman")) engines.push("container");
  if (process.env["KUBECONFIG"]) engines.push("kubernetes");
  const hasRay = spawnSync("python3", ["-c", "import ray"], { stdio: "ignore" }).status === 0;
  for (const engine of engines) {
    for (const language of ["typescript", "python"] as const) yield mapOf(context, engine, language, hasRay);
    yield singleOf(context, engine);
    yield shareOf(context, engine);
  }
}

function said(context: BenchContext, engine: string, target: string, ...words: readonly string[]): Said {
  const env = { ...process.env, SLIPWAY_ENGINE: engine };
  const bazel = [join(context.repository, "tools/bazel"), "run", `//test/bench/fanout:${target}`, "--"];
  return JSON.parse(run([...bazel, ...words], { cwd: context.repository, env })) as Said;
}

function peer(context: BenchContext, name: "pool" | "ray"): number {
  const program = join(context.repository, "test/bench/fanout/peers.py");
  return (JSON.parse(run(["python3", program, name, `${trivial}`])) as Said).seconds;
}

function mapOf(context: BenchContext, engine: string, language: "typescript" | "python", hasRay: boolean): Result {
  context.tell(`${trivial} items, ${engine}, ${language}`);
  const target = language === "python" ? "py_squares" : "squares";
  const all = Array.from({ length: rounds }, () => ({
    ours: said(context, engine, target, "map", `${trivial}`),
    floor: peer(context, "pool"),
    ...(hasRay && { ray: peer(context, "ray") }),
  }));
  const ray = all.flatMap((each) => each.ray ?? []);
  return resultOf(
    `${trivial}_items_${engine}_${language}`,
    {
      ours: all.map(({ ours }) => ours.seconds),
      floor: all.map(({ floor }) => floor),
      ...(ray.length > 0 && { ray }),
    },
    "at most 1 of ProcessPoolExecutor",
    (time, least) => time <= least && all.every(({ ours }) => ours.isRight),
  );
}

function singleOf(context: BenchContext, engine: string): Result {
  context.tell(`single calls, ${engine}`);
  const { seconds, isRight } = said(context, engine, "squares", "single", "200");
  const most = engine === "kubernetes" ? 0.015 : 0.003;
  return resultOf(
    `single_call_${engine}`,
    { ours: [seconds], floor: [most] },
    `at most ${most * 1000} ms, which is the floor here`,
    (time) => time <= most && isRight,
  );
}

function shareOf(context: BenchContext, engine: string): Result {
  context.tell(`100,000 items of 1 ms, ${engine}`);
  const { seconds, share = 0, isRight } = said(context, engine, "squares", "busy", "100000");
  return resultOf(
    `100000_items_of_1_ms_${engine}`,
    { ours: [seconds], floor: [seconds * share] },
    "at least 95 % of the workers' time is the function's: the floor",
    () => share >= 0.95 && isRight,
    { percent: Math.round(share * 100) },
  );
}
