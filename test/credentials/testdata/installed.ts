import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Daemons } from "../../registries/testdata/daemon.ts";
import { SecretWatch } from "./secrets.ts";

/** Where the build puts the command line: beside the sources in a test of Bazel's, in bazel-bin for a person. */
const built = ["src", "bazel-bin/src"].map((folder) => join(folder, "slipway.bundle/main.mjs")).find(existsSync);

/** What a command did. */
export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A user's machine with Slipway installed, and a watch over what becomes of the secrets. Gone when the test file ends.
 */
export class Installed {
  readonly folder = mkdtempSync(join(tmpdir(), "slipway-installed-"));
  readonly bin = join(this.folder, "bin");
  readonly env: Record<string, string>;
  readonly watch: SecretWatch;
  /** Servers that the user's tools talk to. */
  readonly daemons = new Daemons();

  /** @param secrets what nothing may show */
  constructor(secrets: readonly string[]) {
    this.watch = new SecretWatch(secrets, this.folder);
    this.env = {
      PATH: `${this.bin}:${process.env["PATH"]}:/usr/sbin`,
      HOME: join(this.folder, "home"),
      XDG_CONFIG_HOME: join(this.folder, "home/.config"),
      XDG_RUNTIME_DIR: join(this.folder, "run"),
      TMPDIR: join(this.folder, "tmp"),
      NO_COLOR: "1",
      GIT_TERMINAL_PROMPT: "0",
      GIT_CONFIG_NOSYSTEM: "1",
    };
    for (const name of ["HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "TMPDIR"]) {
      mkdirSync(this.env[name] as string, { recursive: true, mode: 0o700 });
    }
    if (built === undefined) throw new Error("the command line is not built: tools/bazel build //:slipway");
    execFileSync(process.execPath, [built, "install", this.bin], { env: this.env, stdio: "pipe" });
    // Here, while the file is read: a hook that is added later is not always run.
    afterAll(async () => {
      await this.daemons.stop();
      rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
    });
  }

  /** Writes a file below the home, for its user alone. */
  write(path: string, content: string): string {
    const full = join(this.env["HOME"] as string, path);
    mkdirSync(dirname(full), { recursive: true, mode: 0o700 });
    writeFileSync(full, content, { mode: 0o600 });
    return full;
  }

  /** Runs a command as the user; what it prints is searched for secrets in the end. */
  run(command: string, args: readonly string[], options: { env?: object; input?: string } = {}): Promise<Outcome> {
    return this.watch.run(command, args, { env: { ...this.env, ...options.env }, input: options.input });
  }

  slipway(...args: string[]): Promise<Outcome> {
    return this.run("slipway", args);
  }

  /**
   * Adds the last test of a file: nothing shows a secret.
   *
   * @param files of the home, which may have one, since the user put it there
   */
  keepsSecrets(...files: readonly string[]): void {
    describe("the secret", () => {
      it("is in no output, command line or file but the user's own", () => {
        expect(this.watch.commandLines).toBeGreaterThan(5);
        expect(this.watch.findings(files.map((file) => join(this.env["HOME"] as string, file)))).toEqual([]);
      });
    });
  }

  /** Asks a helper as a tool does: what it answers is the secret, and is not searched. */
  async ask(helper: string, action: string, input: string, env: object = {}): Promise<Outcome> {
    return this.watch.unwatched(helper, [action], { env: { ...this.env, ...env }, input });
  }
}
