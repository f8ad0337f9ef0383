import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, cpSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";

/** Programs of a Debian base system that tools/bazel may use; nothing else of this machine is on the PATH of a test. */
const SYSTEM_PROGRAMS =
  "awk basename bash cat chmod cp cut df dirname du env find flock grep head ln mkdir mktemp mv nproc printf pwd " +
  "readlink realpath rm sed sh sha256sum sleep sort sync tail tar touch tr uname xargs";

type Started = ChildProcessByStdio<null, Readable, Readable>;

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A copy of tools/bazel in a workspace of its own, with an empty HOME and a PATH that a test fills. */
export class Bench {
  readonly folder = mkdtempSync(join(process.env["TEST_TMPDIR"] ?? tmpdir(), "bench-"));
  readonly home = this.makeFolder("home");
  readonly workspace = this.makeFolder("workspace");
  readonly programs = this.makeFolder("programs");
  readonly state = join(this.home, ".cache/slipway/bazel");
  readonly tool = join(this.workspace, "tools/bazel");

  /** Folders after that of the bench on the PATH. */
  path: readonly string[] = [];

  constructor() {
    cpSync(resolve(import.meta.dirname, "../bazel"), this.tool);
    cpSync(import.meta.dirname, join(this.workspace, "tools/bootstrap"), { recursive: true });
    cpSync(resolve(import.meta.dirname, "../../pnpm-lock.yaml"), join(this.workspace, "pnpm-lock.yaml"));
    this.write(".bazelversion", "7.7.1\n");
    this.write("MODULE.bazel", 'module(name = "bench")\n');
    for (const name of SYSTEM_PROGRAMS.split(" ")) this.offer(name);
    // Tests of the roads that need no network must not depend on what this machine reaches.
    this.fake("getent", "exit 2");
    this.fake("npm", "exit 1");
    this.fake("apt-get", "exit 0");
    this.fake("dpkg-deb", "exit 1");
    this.fake("node", "exit 1");
  }

  makeFolder(name: string): string {
    const path = join(this.folder, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  /** Writes a file of the workspace. */
  write(name: string, content: string): void {
    const path = join(this.workspace, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }

  /** Puts a program of this machine on the PATH, where it has it */
  private offer(name: string): void {
    for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
      } catch {
        continue;
      }
      symlinkSync(path, join(this.programs, name));
      return;
    }
  }

  /** Puts a shell script on the PATH. Gives its path. */
  fake(name: string, script: string): string {
    const path = join(this.programs, name);
    writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return path;
  }

  /** A Bazel that tells its version, and otherwise how it was called. */
  fakeBazel(name: string, version: string): string {
    return this.fake(
      name,
      `if [ "$*" = --version ]; then echo "bazel ${version}"; exit; fi
echo "${version} called with: $* skip=\${BAZELISK_SKIP_WRAPPER:-}"
exit 7`,
    );
  }

  start(args: readonly string[], options: { env?: Record<string, string>; cwd?: string } = {}): Started {
    return spawn(this.tool, args, {
      cwd: options.cwd ?? this.workspace,
      env: { PATH: [this.programs, ...this.path].join(delimiter), HOME: this.home, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
      // A group of its own, so that a test can kill all of it.
      detached: true,
    });
  }

  run(args: readonly string[], options: { env?: Record<string, string>; cwd?: string } = {}): Promise<Outcome> {
    return outcome(this.start(args, options));
  }
}

/** Waits for a process and gathers what it writes. */
export async function outcome(child: Started): Promise<Outcome> {
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { status, stdout, stderr };
}
