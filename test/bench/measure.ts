import { spawnSync } from "node:child_process";
import { cpus } from "node:os";

/** One line of the result: a goal, what was measured for it, and beside what. */
export interface Result {
  readonly case: string;
  /** Seconds. */
  readonly median_s: number;
  /** Seconds of what it is compared with, measured in the same rounds. */
  readonly floor_s: number;
  readonly ratio: number;
  /** What was aimed at, in words, and whether it was reached. */
  readonly goal: string;
  readonly reached: boolean;
  /** Medians of other tools for the same work, in seconds. */
  readonly peers: Readonly<Record<string, number>>;
  /** All seconds, by what was measured, in the order of the rounds. */
  readonly samples: Readonly<Record<string, readonly number[]>>;
  /** What is counted, not timed: requests, bytes, targets. */
  readonly counts?: Readonly<Record<string, number>>;
}

/** What is measured in each round; `prepare` is not timed. */
export interface Contestant {
  readonly prepare?: (round: number) => void | Promise<void>;
  readonly run: (round: number) => void | Promise<void>;
}

/**
 * Times contestants by turns, so that what else the machine does falls on all of them, beginning with another one in
 * each round. Round 0 warms
 * up and is not counted.
 *
 * @param rounds at least 1
 * @returns seconds by name, in the order of the rounds
 */
export async function interleave(
  contestants: Readonly<Record<string, Contestant>>,
  rounds: number,
): Promise<Record<string, number[]>> {
  const names = Object.keys(contestants);
  const samples: Record<string, number[]> = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(round + turn) % names.length] as string;
      const contestant = contestants[name] as Contestant;
      await contestant.prepare?.(round);
      const start = process.hrtime.bigint();
      await contestant.run(round);
      const seconds = Number(process.hrtime.bigint() - start) / 1e9;
      if (round > 0) samples[name]?.push(Number(seconds.toFixed(4)));
    }
  }
  return samples;
}

/** @throws Error for an empty list */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error("nothing was measured");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/**
 * Makes the line of a goal from the samples of `ours`, `floor` and, by any other name, of peers.
 *
 * @param reached says of the medians whether the goal is reached
 */
export function resultOf(
  name: string,
  samples: Readonly<Record<string, readonly number[]>>,
  goal: string,
  reached: (ours: number, floor: number) => boolean,
  counts?: Readonly<Record<string, number>>,
): Result {
  const { ours = [], floor = [], ...others } = samples;
  const [time, least] = [median(ours), median(floor)];
  return {
    case: name,
    median_s: round(time),
    floor_s: round(least),
    ratio: round(time / least),
    goal,
    reached: reached(time, least),
    peers: Object.fromEntries(Object.entries(others).map(([peer, values]) => [peer, round(median(values))])),
    samples,
    ...(counts ? { counts } : {}),
  };
}

function round(value: number): number {
  return Number(value.toFixed(4));
}

/** Whether a command can be started. */
export function isInstalled(command: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${command}`], { stdio: "ignore" }).status === 0;
}

/**
 * Runs a command to its end.
 *
 * @returns its standard output
 * @throws Error with what it said when it fails
 */
export function run(
  words: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv; readonly input?: string } = {},
): string {
  const [program = "", ...args] = words;
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    ...options,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`${words.slice(0, 6).join(" ")} ended with status ${status}:\n${stderr}${stdout}`);
  return stdout;
}

/** The files of a folder packed on all cores, where pigz is installed. */
export function pigzPeer(files: string, cwd: string): Record<string, Contestant> {
  if (!isInstalled("pigz")) return {};
  const pack = `tar -c ${files} | pigz -6 -p ${cpus().length} | cat >/dev/null`;
  return { "tar | pigz -6": { run: () => void run(["sh", "-c", pack], { cwd }) } };
}
