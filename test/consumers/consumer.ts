import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { processLimits } from "../../src/containers/process-limits.ts";
import { Registry } from "../e2e/registry.ts";
import { command, scratchFolder, Workspace } from "../e2e/workspace.ts";

/** Repositories that only the sources of Slipway need, or its own tests and examples. */
const ours = /slipway_npm|slipway_dev_npm|slipway_machine|quickstart/;

/**
 * How an example gets the Slipway of the release: `archive`, as a user writes who has no registry with it (and as a
 * registry's entry says);
 * else Bazel puts the unpacked archive in the place of the Slipway that the example names.
 */
export type Override = "archive" | "module" | "repository";

/**
 * An example as its users have it: alone in a folder, with Slipway from the release archive, and a Bazel, HOME and
 * registry of its own.
 */
export class Consumer {
  readonly registry: Registry;
  readonly #workspace: Workspace;

  constructor(name: string, override: Override = "module") {
    const folder = join(scratchFolder(), name);
    cpSync(join("examples", name), folder, { recursive: true });
    this.#workspace = new HomeWorkspace(name, folder);
    this.registry = new Registry(this.#workspace);
    if (override === "archive") {
      const module = readFileSync(join(folder, "MODULE.bazel"), "utf8");
      this.#workspace.write({ "MODULE.bazel": module.replace(/^local_path_override\([^)]*\)$/m, archiveOverride) });
      return;
    }
    // The line `try-import` is in the .bazelrc of every example.
    this.#workspace.write({ "user.bazelrc": `common --override_${override}=slipway=${unpackRelease()}\n` });
  }

  /**
   * Runs a target and gives its standard output, as for a user who has set nothing: functions of a program run in
   * containers.
   */
  run(target: string, env: Readonly<Record<string, string>> = {}, ...args: readonly string[]): Promise<string> {
    return this.#workspace.stdout(["run", target, "--", ...args], { env: { SLIPWAY_ENGINE: undefined, ...env } });
  }

  /** The command line, as a user of the release calls it. */
  slipway(...args: string[]): Promise<string> {
    return this.#workspace.stdout(["run", "@slipway//:slipway", "--", ...args]);
  }

  /** Runs an image as it is, and gives its standard output. */
  podman(image: string, ...args: string[]): Promise<string> {
    return this.#runImage(image, [], args);
  }

  /** Runs another program in an image, and gives its standard output. */
  inImage(image: string, program: string, ...args: string[]): Promise<string> {
    return this.#runImage(image, [`--entrypoint=${program}`], args);
  }

  async #runImage(image: string, options: readonly string[], args: readonly string[]): Promise<string> {
    const repository = image.slice(image.indexOf("/") + 1, image.indexOf("@"));
    const login = ["--tls-verify=false", "--creds", `token:${await this.registry.token(repository)}`];
    await this.#podman(["pull", "--quiet", ...login, image]);
    try {
      const { files, processes } = processLimits() ?? {};
      const limits = files ? [`--ulimit=nofile=${files}:${files}`, `--ulimit=nproc=${processes}:${processes}`] : [];
      return await this.#podman(["run", "--rm", ...limits, ...options, image, ...args]);
    } finally {
      await this.#podman(["rmi", "--force", image]);
    }
  }

  /** What Bazel has fetched, of what no user of a release needs. */
  unneeded(more: RegExp = /^$/): string[] {
    const folder = join(this.#workspace.outputBase, "external");
    const fetched = readdirSync(folder, { withFileTypes: true }).filter((entry) => !entry.name.startsWith("@"));
    if (fetched.length === 0) throw new Error(`nothing was fetched into ${folder}`);
    return fetched.map(({ name }) => name).filter((name) => ours.test(name) || more.test(name));
  }

  /** Ends its servers and removes what they made. */
  async end(): Promise<void> {
    const { host } = await this.registry.status();
    await this.registry.stop();
    const images = await this.#podman(["images", "--format={{.Repository}}@{{.Digest}}"]);
    const pulled = images.split("\n").filter((image) => image.startsWith(`${host}/`));
    if (pulled.length > 0) await this.#podman(["rmi", "--force", ...pulled]);
    const pid = readFileSync(join(this.#workspace.outputBase, "server/server.pid.txt"), "utf8").trim();
    await this.#workspace.stdout(["clean", "--expunge"]);
    if (existsSync(`/proc/${pid}`)) throw new Error(`the Bazel server ${pid} still runs`);
  }

  async #podman(args: readonly string[]): Promise<string> {
    // It looks for logins in the folder that this names, and fails where there is none.
    const { DOCKER_CONFIG: _, ...env } = this.#workspace.env;
    const { status, stdout, stderr } = await command(["podman", ...args], env);
    if (status !== 0) throw new Error(`podman ${args[0]} ended with status ${status}:\n${stderr}`);
    return stdout;
  }
}

/**
 * A workspace of a user who has just got an account: HOME is new. What has been downloaded for this machine already is
 * taken from there.
 */
class HomeWorkspace extends Workspace {
  override get env(): Record<string, string> {
    const machine = homedir();
    const home = join(this.state, "home");
    mkdirSync(home, { recursive: true, mode: 0o700 });
    return {
      // Where npm finds its registry, and what it has fetched; where podman has its images.
      NPM_CONFIG_USERCONFIG: join(machine, ".npmrc"),
      NPM_CONFIG_CACHE: join(machine, ".npm"),
      XDG_CACHE_HOME: join(machine, ".cache"),
      XDG_DATA_HOME: join(machine, ".local/share"),
      ...super.env,
      HOME: home,
    };
  }
}

/** The name of the release archive, which is that of the folder in it and an ending. */
function findRelease(): string {
  const archive = readdirSync("tools/release").find((name) => /^slipway-.*\.tar\.gz$/.test(name));
  if (!archive) throw new Error("the release archive is not among the inputs of this test");
  return archive;
}

/** What stands in MODULE.bazel for a module in an archive. */
function archiveOverride(): string {
  const archive = findRelease();
  const path = resolve("tools/release", archive);
  const integrity = createHash("sha256").update(readFileSync(path)).digest("base64");
  return `archive_override(
    module_name = "slipway",
    integrity = "sha256-${integrity}",
    strip_prefix = "${archive.replace(/\.tar\.gz$/, "")}",
    urls = ["file://${path}"],
)`;
}

/** The release archive, unpacked; its folder. */
function unpackRelease(): string {
  const scratch = scratchFolder();
  const archive = findRelease();
  const { status, stderr } = spawnSync("tar", ["-xzf", join("tools/release", archive), "-C", scratch], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${archive} cannot be unpacked: ${stderr}`);
  return join(scratch, archive.replace(/\.tar\.gz$/, ""));
}
