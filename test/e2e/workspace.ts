import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { environment } from "./environment.ts";

/** A command that has ended. */
export interface Finished {
  /** Exit status; 128 and the signal's number for one that was killed. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  /** On top of the workspace's environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stdin?: string;
  /** Words before the command, such as `unshare --net`. */
  readonly prefix?: readonly string[];
}

/** A folder in which `tools/bazel` runs as a user types it, with a server, outputs and state of its own. */
export class Workspace {
  readonly folder: string;
  /** Bazel's outputs. */
  readonly outputBase: string;
  /** `XDG_STATE_HOME`: the embedded registry of these runs is below it. */
  readonly state: string;
  readonly #tool: string;

  /**
   * @param name of its output base and state: two workspaces of one test have different ones
   * @param folder an existing one; by default the copy of the sources in which the tests run
   */
  constructor(name: string, folder = process.cwd()) {
    const scratch = scratchFolder();
    this.folder = folder;
    this.outputBase = join(scratch, `output-${name}`);
    this.state = join(scratch, `state-${name}`);
    this.#tool = join(process.cwd(), "tools/bazel");
  }

  /** The environment of its commands, and of tools that look at what they did. */
  get env(): Record<string, string> {
    return environment(this.state);
  }

  /** Writes files, each with the folders above it. */
  write(files: Readonly<Record<string, string>>): void {
    for (const [path, content] of Object.entries(files)) {
      const file = join(this.folder, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
  }

  /** Runs Bazel to its end. */
  async bazel(args: readonly string[], options: CommandOptions = {}): Promise<Finished> {
    const child = this.start(args, options);
    child.stdin?.end(options.stdin ?? "");
    return finished(child);
  }

  /** Runs Bazel to its end and gives its standard output. Throws what it said when its status is not 0. */
  async stdout(args: readonly string[], options: CommandOptions = {}): Promise<string> {
    const { status, stdout, stderr } = await this.bazel(args, options);
    if (status !== 0) throw new Error(`bazel ${args.join(" ")} ended with status ${status}:\n${stderr}${stdout}`);
    return stdout;
  }

  /** Starts Bazel; its process becomes the program of `bazel run`. */
  start(args: readonly string[], options: CommandOptions & Pick<SpawnOptions, "stdio"> = {}): ChildProcess {
    const [program = "", ...words] = [
      ...(options.prefix ?? []),
      this.#tool,
      `--output_base=${this.outputBase}`,
      ...args,
    ];
    const env = { ...this.env, ...options.env };
    return spawn(program, words, { cwd: this.folder, env, stdio: options.stdio ?? "pipe" });
  }
}

/** Waits for a process and collects what it prints. */
export async function finished(child: ChildProcess): Promise<Finished> {
  child.stdin?.on("error", () => {});
  const [stdout, stderr, end] = await Promise.all([
    child.stdout ? text(child.stdout) : "",
    child.stderr ? text(child.stderr) : "",
    once(child, "close"),
  ]);
  const [code, signal] = end as [number | null, NodeJS.Signals | null];
  return { status: code ?? 128 + (signal ? constants.signals[signal] : 0), stdout, stderr };
}

/** MODULE.bazel of a module on the Slipway of these sources. */
export function moduleOf(name: string, more = ""): string {
  return `module(name = "${name}")
bazel_dep(name = "slipway", version = "0.1.0")
local_path_override(module_name = "slipway", path = ${JSON.stringify(process.cwd())})
${more}`;
}

/** Bytes of what Bazel fetched for the base image `@base`. */
export function fetchedBytes({ outputBase }: Workspace): number {
  const external = join(outputBase, "external");
  const [name = "", ...others] = readdirSync(external).filter((each) => /base_images[~+]base$/.test(each));
  if (others.length > 0) throw new Error(`${others} too`);
  return readdirSync(join(external, name), { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0);
}

/** Runs any other command to its end. */
export async function command(words: readonly string[], env: Readonly<Record<string, string>>): Promise<Finished> {
  const [program = "", ...args] = words;
  const child = spawn(program, args, { env: { ...env }, stdio: ["ignore", "pipe", "pipe"] });
  return finished(child);
}

/** The folder that Bazel gives to this test. */
export function scratchFolder(): string {
  const folder = process.env["TEST_TMPDIR"];
  if (!folder) throw new Error("These tests run by `tools/bazel test`, which gives them a folder.");
  return folder;
}
