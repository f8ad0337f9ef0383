import { randomFillSync } from "node:crypto";
import { closeSync, mkdirSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { BenchContext } from "../context.ts";
import { type Contestant, interleave, isInstalled, pigzPeer, type Result, resultOf, run } from "../measure.ts";
import { makeLayer, writeFlags } from "./growth.ts";

/** Rounds that are counted at most: one takes a minute. */
const mostRounds = 3;

const mebibyte = 1 << 20;
const size = 1024 * mebibyte;

/** MiB that are flat. */
const mostMemory = 250;

/**
 * A model's weights, which are as good as random: 1 GiB, from nothing and after one changed byte, in a process of its
 * own, without a worker.
 */
export async function* weightsCases(context: BenchContext): AsyncGenerator<Result> {
  const folder = join(context.scratch, "weights");
  mkdirSync(join(folder, "files"), { recursive: true });
  const file = join(folder, "files/weights");
  writeRandom(file);
  writeFlags(context, ["files/weights"], "weights");
  try {
    context.tell("a layer of 1 GiB of weights from nothing");
    yield await weightsCase(context, folder, "weights_from_nothing", 3, () => {
      for (const name of ["layer.tar.gz", ".layer.tar.gz.kept", ".layer.tar.gz.segments"])
        rmSync(join(folder, name), { force: true });
    });
    context.tell("the same after one changed byte");
    yield await weightsCase(context, folder, "weights_one_byte_changed", 1.5, (round) => {
      changeByte(file, (round + 1) * 99 * mebibyte);
      // As Bazel does.
      rmSync(join(folder, "layer.tar.gz"), { force: true });
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function weightsCase(
  context: Pick<BenchContext, "buildTool" | "rounds">,
  folder: string,
  name: string,
  most: number,
  prepare: (round: number) => void,
): Promise<Result> {
  const peaks: number[] = [];
  const samples = await interleave(
    {
      ours: { prepare, run: () => void peaks.push(makeLayer(context, folder)) },
      floor: { run: () => void run(["sha256sum", "files/weights"], { cwd: folder }) },
      ...pigzPeer("files", folder),
      ...cranePeer(folder),
    },
    Math.min(context.rounds, mostRounds),
  );
  const peak = Math.round(Math.max(...peaks));
  return resultOf(
    name,
    samples,
    `at most ${most} times sha256sum of the file, memory flat`,
    (time, floor) => time <= most * floor && peak < mostMemory,
    { peak_mib: peak },
  );
}

/** crane appends a tar, which it reads twice, to an empty image. */
function cranePeer(folder: string): Record<string, Contestant> {
  if (!isInstalled("crane")) return {};
  const append = "tar -cf in.tar files && crane append --oci-empty-base -f in.tar -t weights:x -o out.tar";
  return {
    "tar, crane append": {
      run: () => {
        run(["sh", "-c", append], { cwd: folder });
        for (const name of ["in.tar", "out.tar"]) rmSync(join(folder, name));
      },
    },
  };
}

function writeRandom(file: string): void {
  const fd = openSync(file, "wx");
  const bytes = Buffer.allocUnsafe(mebibyte);
  try {
    for (let at = 0; at < size; at += mebibyte) writeSync(fd, randomFillSync(bytes));
  } finally {
    closeSync(fd);
  }
}

function changeByte(file: string, at: number): void {
  const fd = openSync(file, "r+");
  const byte = Buffer.alloc(1);
  try {
    readSync(fd, byte, 0, 1, at);
    byte[0] = ~(byte[0] ?? 0);
    writeSync(fd, byte, 0, 1, at);
  } finally {
    closeSync(fd);
  }
}
