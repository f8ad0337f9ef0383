import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { registryPaths } from "../../src/registry-server/paths.ts";
import type { RequestRecord } from "../../src/registry-server/request-log.ts";
import { run } from "./measure.ts";

/**
 * A workspace of its own, on a Bazel server and with an embedded registry of its own, that uses this repository as a
 * user's would.
 */
export class Workspace {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly outputBase: string;
  readonly #tool: string;
  readonly #requests: string;

  /**
   * @param repository folder of Slipway's sources
   * @param scratch folder for all that is made, which exists
   */
  constructor(repository: string, scratch: string, name: string) {
    this.folder = join(scratch, name);
    this.outputBase = join(scratch, `${name}.output`);
    this.#tool = join(repository, "tools/bazel");
    const state = join(scratch, `${name}.state`);
    const theirs = Object.entries(process.env).filter(([key]) => !/^(BUILD_|RUNFILES_|SLIPWAY_)/.test(key));
    // Programs run here, not in containers: what is measured is the way to them.
    this.env = { ...Object.fromEntries(theirs), XDG_STATE_HOME: state, SLIPWAY_ENGINE: "process" };
    this.#requests = registryPaths(this.env).requests;
    mkdirSync(this.folder, { recursive: true });
    this.write({
      ".bazelrc":
        "common --incompatible_strict_action_env\nbuild --nolegacy_external_runfiles --reuse_sandbox_directories\n",
      ".bazelversion": readFileSync(join(repository, ".bazelversion"), "utf8"),
      "BUILD.bazel": "",
    });
  }

  /** Writes files, each with the folders above it. */
  write(files: Readonly<Record<string, string>>): void {
    for (const [path, content] of Object.entries(files)) {
      const file = join(this.folder, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
  }

  /** Runs Bazel to its end and gives its standard output. */
  bazel(...args: readonly string[]): string {
    return run(this.command(...args), { cwd: this.folder, env: this.env });
  }

  /** The words of a command that runs Bazel, in this folder and environment. */
  command(...args: readonly string[]): string[] {
    return [this.#tool, `--output_base=${this.outputBase}`, ...args];
  }

  /** What the embedded registry was asked while `action` ran, our own questions about the server left out. */
  requestsDuring(action: () => void): RequestRecord[] {
    rmSync(this.#requests, { force: true });
    action();
    let text = "";
    try {
      text = readFileSync(this.#requests, "utf8");
    } catch (error) {
      // Nothing was asked.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
    const records = text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as RequestRecord]));
    return records.filter(({ path }) => path.startsWith("/v2/"));
  }

  /** Stops its servers. */
  stop(): void {
    try {
      this.bazel("run", "@slipway//:slipway", "--", "registry", "stop");
    } catch {
      // None was started.
    }
    this.bazel("shutdown");
  }
}

/** The lines of MODULE.bazel that bring Slipway's sources. */
export function moduleOf(repository: string, more = ""): string {
  return `module(name = "bench")
bazel_dep(name = "slipway")
local_path_override(module_name = "slipway", path = ${JSON.stringify(repository)})
${more}`;
}
