import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";

/** The command line, from its sources. */
export const commandLine = [
  process.execPath,
  "--disable-warning=ExperimentalWarning",
  // As the built program has it.
  "--max-semi-space-size=1",
  join(import.meta.dirname, "../main.ts"),
] as const;

export interface Place {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

export interface Outcome {
  readonly out: string;
  readonly error: string;
  readonly status: number;
}

/** Starts a program with nothing on its standard input. It is killed when the test ends. */
export function start([program = "", ...args]: readonly string[], { env, cwd }: Place): ChildProcess {
  const child = spawn(program, args, { env, cwd, stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

export async function outcomeOf(child: ChildProcess): Promise<Outcome> {
  const { stdout, stderr } = child;
  const [out, error, [status]] = await Promise.all([text(stdout as never), text(stderr as never), once(child, "close")]);
  return { out, error, status };
}

/** Runs `slipway ARGUMENTS…` to its end. */
export function run(args: readonly string[], place: Place = {}): Promise<Outcome> {
  return outcomeOf(start([...commandLine, ...args], place));
}
