import { spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BenchContext } from "../context.ts";
import { interleave, pigzPeer, type Result, resultOf, run } from "../measure.ts";
import { programText } from "../text.ts";

/** Rounds that are counted at most: one with the largest takes minutes. */
const mostRounds = 1;

/** MiB that are flat. */
const mostMemory = 400;

/** Tells what a process used at most, in KiB, when it ends. */
const memory =
  "--import=data:text/javascript,process.on(`exit`,()=>process.stderr.write(`maxrss:`.concat(process.resourceUsage().maxRSS,`\\n`)))";

/**
 * From 1,000 to 100,000 files, and from 10 MB to 3 GB: the time and memory of a layer made from nothing, in a process
 * of its own.
 */
export async function* growthCases(context: BenchContext): AsyncGenerator<Result> {
  for (const count of [1000, 10_000, 100_000]) {
    yield await growthCase(context, `${count}_files_of_1_kb`, writeFiles(context, count));
  }
  let largest = 0;
  for (const size of [10, 100, 1000]) {
    const result = await growthCase(context, `file_of_${size}_mb`, writeFile(context, size));
    largest = result.median_s;
    yield result;
  }
  yield proportionCase(context, "file_of_3000_mb", writeFile(context, 3000), 3 * largest);
}

/** As {@link growthCase}, once and beside what is in proportion to the case before: gzip would take ten minutes. */
function proportionCase(context: BenchContext, name: string, files: readonly string[], proportion: number): Result {
  context.tell(`a layer of ${name.replaceAll("_", " ")}`);
  const folder = writeFlags(context, files);
  const start = process.hrtime.bigint();
  const peak = makeLayer(context, folder);
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  rmSync(folder, { recursive: true });
  return resultOf(
    name,
    { ours: [seconds], floor: [proportion] },
    "at most 1.25 of three times the time for 1,000 MB, memory flat",
    (time, floor) => time <= 1.25 * floor && peak < mostMemory,
    { peak_mib: Math.round(peak) },
  );
}

async function growthCase(context: BenchContext, name: string, files: readonly string[]): Promise<Result> {
  context.tell(`a layer of ${name.replaceAll("_", " ")}`);
  const folder = writeFlags(context, files);
  const peaks: number[] = [];
  const samples = await interleave(
    {
      ours: {
        run: () => void peaks.push(makeLayer(context, folder)),
      },
      floor: { run: () => void run(["sh", "-c", "tar -c files | gzip -6 >packed.tar.gz"], { cwd: folder }) },
      ...pigzPeer("files", folder),
    },
    Math.min(context.rounds, mostRounds),
  );
  rmSync(folder, { recursive: true });
  return resultOf(
    name,
    samples,
    "time in proportion, memory flat, less time than tar | gzip -6",
    (time, floor) => time <= floor && Math.max(...peaks) < mostMemory,
    { peak_mib: Math.round(Math.max(...peaks)) },
  );
}

/** Writes what {@link makeLayer} reads. @param files in the folder `name`, which it returns */
export function writeFlags({ scratch }: BenchContext, files: readonly string[], name = "growth"): string {
  const folder = join(scratch, name);
  const lines = [
    "layer",
    "--output=layer.tar.gz",
    "--metadata=layer.json",
    "--packages=packages.json",
    "--compression=gzip",
  ];
  const entries = files.map((path) => JSON.stringify(["file", path, path]));
  writeFileSync(join(folder, "flags"), `${[...lines, ...entries].join("\n")}\n`);
  return folder;
}

/** Makes a layer in a process of its own. @returns the most memory that it took, in MiB */
export function makeLayer({ buildTool }: Pick<BenchContext, "buildTool">, folder: string): number {
  const env = { ...process.env, NODE_OPTIONS: memory };
  const { status, stderr } = spawnSync(buildTool, ["@flags"], { cwd: folder, encoding: "utf8", env });
  if (status !== 0) throw new Error(`The build tool ended with status ${status}:\n${stderr}`);
  return Number(/^maxrss:(\d+)$/m.exec(stderr)?.[1]) / 1024;
}

/** Writes files of 1 KB, no two the same, a hundred to a folder. */
function writeFiles({ scratch }: BenchContext, count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const folder = `files/${Math.floor(index / 100)}`;
    if (index % 100 === 0) mkdirSync(join(scratch, "growth", folder), { recursive: true });
    const path = `${folder}/${index}.js`;
    writeFileSync(join(scratch, "growth", path), programText(index + 1, 1000));
    return path;
  });
}

/** Writes one file of text that compresses as programs do. @param size in MB */
function writeFile({ scratch }: BenchContext, size: number): string[] {
  const file = join(scratch, "growth/files/file");
  mkdirSync(join(scratch, "growth/files"), { recursive: true });
  for (let part = 0; part < size; part++) appendFileSync(file, megabyte(part % 10));
  return ["files/file"];
}

const megabytes = new Map<number, string>();

function megabyte(seed: number): string {
  const text = megabytes.get(seed) ?? programText(seed + 1, 1_000_000).slice(0, 1_000_000);
  megabytes.set(seed, text);
  return text;
}
