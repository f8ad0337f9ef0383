import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { Registry } from "./registry.ts";
import { command, scratchFolder, Workspace } from "./workspace.ts";

const workspace = new Workspace("dev");
const registry = new Registry(workspace);
const tools = join(scratchFolder(), "dev-bin");
let slipway = "";

const build = `
load("//bazel:defs.bzl", "image", "pipeline")

image(name = "empty")

pipeline(name = "loop", base = ":empty")

pipeline(
    name = "server",
    base = ":empty",
    tags = ["ibazel_notify_changes", "manual"],
)
`;

/** A program that says which version it is, and everything that happens to it. */
const program = (version: string) => `
process.on("SIGTERM", () => process.stdout.write("${version}: stopped\\n", () => process.exit(0)));
process.stdin.on("data", (data) => process.stdout.write(\`${version}: read \${data}\`));
setInterval(() => {}, 1000);
const image = process.env["SLIPWAY_CONTAINER_IMAGE_URIS"] ?? "no image";
console.log(\`${version}: started with \${process.argv.slice(2)} \${image} pid \${process.pid}\`);
`;

beforeAll(async () => {
  workspace.write({ "dev/BUILD.bazel": build, "dev/loop.ts": program("one"), "dev/server.ts": program("one") });
  await workspace.stdout(["build", "//:slipway"]);
  slipway = join(await bazelBin(), "src/slipway");
  // A user's bazel, with the outputs of this test.
  mkdirSync(tools);
  writeFileSync(
    join(tools, "bazel"),
    `#!/bin/sh\nexec '${process.cwd()}/tools/bazel' '--output_base=${workspace.outputBase}' "$@"\n`,
  );
  chmodSync(join(tools, "bazel"), 0o755);
});
afterAll(() => registry.stop());

async function bazelBin(): Promise<string> {
  return (await workspace.stdout(["info", "bazel-bin"])).trim();
}

/** What a process has printed so far, and what is still to come of it. */
class Output {
  text = "";
  readonly child: ChildProcess;
  readonly #changes = new EventEmitter();

  constructor(child: ChildProcess) {
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.text += text;
        this.#changes.emit("change");
      });
    }
    child.on("close", () => this.#changes.emit("change"));
  }

  /** Waits until a condition holds; it is asked again whenever something is printed. */
  async until(condition: () => boolean, what: string): Promise<void> {
    while (!condition()) {
      if (this.child.exitCode !== null) throw new Error(`It ended without ${what}:\n${this.text}`);
      await once(this.#changes, "change");
    }
  }

  async printed(pattern: RegExp): Promise<string> {
    await this.until(() => pattern.test(this.text), String(pattern));
    return pattern.exec(this.text)?.[0] ?? "";
  }
}

/** Starts `slipway dev` as a user does in the workspace's folder. */
function dev(...args: string[]): Output {
  const child = spawn(slipway, ["dev", ...args], {
    cwd: workspace.folder,
    env: { ...workspace.env, PATH: `${tools}:${workspace.env["PATH"]}` },
  });
  onTestFinished(() => void (child.exitCode === null && child.kill("SIGTERM")));
  return new Output(child);
}

/** Processes of this machine whose command line has a word of the test's. */
function running(word: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      } catch {
        return "";
      }
    })
    .filter((line) => line.includes(word));
}

async function interrupted({ child }: Output): Promise<number | null> {
  const end = once(child, "close");
  child.kill("SIGINT");
  return ((await end) as [number | null])[0];
}

describe("slipway dev", () => {
  it("starts NAME_local again after an edit, after a mistake too, with its arguments, and no image", async () => {
    const loop = dev("//dev:loop_local", "--", "--help", "two words");
    await loop.printed(/^one: started with --help,two words no image/m);
    workspace.write({ "dev/loop.ts": program("two") });
    await loop.printed(/^two: started with --help,two words no image/m);
    expect(loop.text).toContain("one: stopped\n");
    workspace.write({ "dev/loop.ts": "const = ;" });
    await loop.printed(/Build failed/);
    workspace.write({ "dev/loop.ts": program("three") });
    await loop.printed(/^three: started/m);
    expect(await interrupted(loop)).toBe(130);
    expect(loop.text).toContain("three: stopped\n");
    expect(running(workspace.outputBase).filter((line) => line.includes("loop"))).toEqual([]);
  });

  it("pushes only what an edit changed, then starts the program with the new image", async () => {
    workspace.write({ "dev/loop.ts": program("one") });
    const loop = dev("//dev:loop");
    await loop.printed(/^one: started/m);
    workspace.write({ "dev/loop.ts": program("two") });
    await loop.printed(/^two: started/m);
    const [first, second] = [...loop.text.matchAll(/: started with +default##(\S+)/g)].map((match) => match[1]);
    expect(second).toMatch(/^localhost:\d+\/dev@sha256:[0-9a-f]{64}$/);
    expect(second).not.toBe(first);
    await registry.verifyNamed("dev", second ?? "");
    // The layer with the program and the configuration; that with Node is there.
    expect(loop.text).toMatch(/dev@sha256:\w+: 2 blobs sent .*, 1 there already/);
    expect(await interrupted(loop)).toBe(130);
  });

  it("tells a program that wants to know of every build, and leaves it running", async () => {
    const server = dev("//dev:server_local");
    const started = await server.printed(/^one: started .*$/m);
    workspace.write({ "dev/server.ts": program("two") });
    await server.printed(/^one: read IBAZEL_BUILD_STARTED\n/m);
    await server.printed(/IBAZEL_BUILD_COMPLETED SUCCESS\n/);
    workspace.write({ "dev/server.ts": "const = ;" });
    await server.printed(/IBAZEL_BUILD_COMPLETED FAILURE\n/);
    expect([...server.text.matchAll(/^.*: started .*$/gm)].map(([line]) => line)).toEqual([started]);
    expect(await interrupted(server)).toBe(130);
    expect(server.text).toContain("one: stopped\n");
    workspace.write({ "dev/server.ts": program("one") });
  });

  it("is interrupted in the middle of a build, and leaves no Bazel behind", async () => {
    const marks = join(scratchFolder(), "marks");
    mkdirSync(marks);
    workspace.write({
      "slow/BUILD.bazel": `
genrule(
    name = "slow",
    outs = ["slow.sh"],
    cmd = "touch '${marks}/began'; mkfifo '${marks}/never'; cat '${marks}/never'",
    executable = True,
    tags = ["no-sandbox"],
)
`,
    });
    const slow = dev("//slow");
    // Bazel tells how it gets on, so that something is printed again and again.
    await slow.until(() => existsSync(join(marks, "never")), "the action");
    expect(await interrupted(slow)).toBe(130);
    // This waits for the invocation that was cancelled, if it has not ended yet.
    await workspace.stdout(["info", "release"]);
    expect(running(marks)).toEqual([]);
  });

  it("takes the ibazel of PATH", async () => {
    const folder = join(scratchFolder(), "other-bin");
    mkdirSync(folder);
    writeFileSync(join(folder, "ibazel"), '#!/bin/sh\necho "asked for $*"\nexit 7\n', { mode: 0o755 });
    const env = { ...workspace.env, PATH: `${folder}:${tools}:${workspace.env["PATH"]}` };
    const { status, stdout, stderr } = await command([slipway, "dev", "//x", "--", "y"], env);
    expect(stdout).toBe(`asked for -bazel_path=${tools}/bazel -run_output=false run //x -- y\n`);
    expect(stderr).toMatch(/ibazel .*status 7[\s\S]*\[program-failed\]\n$/);
    expect(status).toBe(1);
  });

  it("says what is missing: ibazel and npm, or a registry that npm reaches", async () => {
    const folder = join(scratchFolder(), "empty-bin");
    mkdirSync(folder);
    for (const name of ["sh", "readlink"]) symlinkSync(join("/bin", name), join(folder, name));
    const env = { ...workspace.env, PATH: `${folder}:${tools}`, XDG_CACHE_HOME: join(folder, "cache") };
    const without = await command([slipway, "dev", "//x"], env);
    expect(without.stderr).toMatch(/^ibazel .*npm.*\n.* \[program-missing\]\n$/);
    expect(without.status).toBe(2);
    const path = `${tools}:${workspace.env["PATH"]}`;
    const closed = {
      ...workspace.env,
      XDG_CACHE_HOME: join(folder, "cache"),
      npm_config_registry: "http://127.0.0.1:1",
    };
    const unreachable = await command([slipway, "dev", "//x"], { ...closed, PATH: path });
    expect(unreachable.stderr).toMatch(/npm .*@bazel\/ibazel [\d.]+: .+\n.* \[program-failed\]\n$/);
    expect(unreachable.status).toBe(1);
    expect(readdirSync(join(folder, "cache/slipway"))).toEqual([]);
  });
});
