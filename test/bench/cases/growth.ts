import { spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import type { BenchContext } from "../context.ts";
import { interleave, isInstalled, type Result, resultOf, run } from "../measure.ts";
import { programText } from "../text.ts";

/** Rounds that are counted at most: one with the largest takes minutes. */
const mostRounds = 1;

/** Tells what a process used at most, in KiB, when it ends. */
const memory =
  "--import=data:text/javascript,process.on(`exit`,()=>process.stderr.write(`maxrss:`.concat(process.resourceUsage().maxRSS,`\\n`)))";

/** From 1,000 to 100,000 files, and from 10 MB to 3 GB: the time and memory of a layer made from nothing, in a process of its own. */
export async function* growthCases(context: BenchContext): AsyncGenerator<Result> {
  for (const count of [1000, 10_000, 100_000]) {
    yield await growthCase(context, `${count}_files_of_1_kb`, writeFiles(context, count));
  }
  for (const size of [10, 100, 1000, 3000]) {
    yield await growthCase(context, `file_of_${size}_mb`, writeFile(context, size));
  }
}

async function growthCase(context: BenchContext, name: string, files: readonly string[]): Promise<Result> {
  context.tell(`a layer of ${name.replaceAll("_", " ")}`);
  const folder = join(context.scratch, "growth");
  const lines = ["layer", "--output=layer.tar.gz", "--metadata=layer.json", "--compression=gzip"];
  writeFileSync(
    join(folder, "flags"),
    `${[...lines, ...files.map((path) => JSON.stringify(["file", path, path]))].join("\n")}\n`,
  );
  const peaks: number[] = [];
  const samples = await interleave(
    {
      ours: {
        run: () => {
          const { status, stderr } = spawnSync(context.buildTool, ["@flags"], {
            cwd: folder,
            encoding: "utf8",
            env: { ...process.env, NODE_OPTIONS: memory },
          });
          if (status !== 0) throw new Error(`The build tool ended with status ${status}:\n${stderr}`);
          peaks.push(Number(/^maxrss:(\d+)$/m.exec(stderr)?.[1]) / 1024);
        },
      },
      floor: { run: () => void run(["sh", "-c", "tar -c files | gzip -6 >packed.tar.gz"], { cwd: folder }) },
      ...(isInstalled("pigz")
        ? {
            "tar | pigz -6": {
              run: () =>
                void run(["sh", "-c", `tar -c files | pigz -6 -p ${cpus().length} >packed.tar.gz`], { cwd: folder }),
            },
          }
        : {}),
    },
    Math.min(context.rounds, mostRounds),
  );
  rmSync(folder, { recursive: true });
  return resultOf(
    name,
    samples,
    "time in proportion, memory flat, less time than tar | gzip -6",
    (time, floor) => time <= floor && Math.max(...peaks) < 400,
    { peak_mib: Math.round(Math.max(...peaks)) },
  );
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
