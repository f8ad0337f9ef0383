import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import { folderOfTest } from "../../src/git/testdata/git-repository.ts";
import { registryPaths } from "../../src/registry-server/paths.ts";
import { inherited } from "../e2e/environment.ts";

/** What a command printed, and its status. */
export interface Outcome {
  readonly out: string;
  readonly error: string;
  readonly status: number;
}

/** A user with the built command line, and state, caches and configuration of a test's own. */
export class Machine {
  readonly home = folderOfTest();
  readonly env: Record<string, string>;

  constructor(more: Readonly<Record<string, string>> = {}) {
    const folders = ["STATE", "CACHE", "CONFIG"].map((name) => [`XDG_${name}_HOME`, join(this.home, `xdg-${name}`)]);
    this.env = { ...inherited(), ...Object.fromEntries(folders), NO_COLOR: "1", ...more };
    onTestFinished(async () => {
      await this.slipway(["registry", "stop"]);
    });
  }

  get registry() {
    return registryPaths(this.env);
  }

  /** Runs an executable that the build made, by its path in the runfiles. */
  async run(
    runfile: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    input = "",
  ): Promise<Outcome> {
    const program = join(process.env["RUNFILES_DIR"] ?? "", "_main", runfile);
    const child = spawn(program, args, {
      cwd: this.home,
      env: { ...this.env, ...env },
      stdio: "pipe",
    });
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    const [out, error, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
    return { out, error, status: status as number };
  }

  /** Runs the command line. */
  async slipway(args: readonly string[], env?: Readonly<Record<string, string>>, input?: string): Promise<Outcome> {
    return this.run("src/slipway", args, env, input);
  }

  /** Writes files below the home folder. */
  write(files: Readonly<Record<string, string>>): void {
    for (const [path, content] of Object.entries(files)) {
      const file = join(this.home, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
  }
}
