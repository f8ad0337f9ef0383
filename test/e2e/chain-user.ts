import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { SecretWatch } from "../credentials/testdata/secrets.ts";
import { type Finished, moduleOf, scratchFolder, Workspace } from "./workspace.ts";

const scratch = scratchFolder();

/**
 * Somebody with a workspace, logins, Bazel's caches and podman's storage of his own, who uses one registry after the
 * other; and a watch over
 * what becomes of his secrets.
 */
export class ChainUser {
  readonly workspace = new Workspace("chain", join(scratch, "chain"));
  readonly watch: SecretWatch;
  /** Where his secrets are to be searched. */
  readonly places: Readonly<
    Record<
      "workspace" | "outputs" | "state" | "caches" | "podman" | "registries" | "run" | "temporary" | "slipwayCache",
      string
    >
  >;
  /** Files in which he put them himself. */
  readonly ownFiles: string[] = [];

  constructor() {
    const { folder: workspace, outputBase: outputs, state } = this.workspace;
    this.places = {
      workspace,
      outputs,
      state,
      caches: join(scratch, "caches"),
      podman: join(scratch, "podman"),
      registries: join(scratch, "registries"),
      // Not below the test's folder, whose name is too long for podman.
      run: mkdtempSync(join(tmpdir(), "slipway-chain-")),
      temporary: join(scratch, "tmp"),
      slipwayCache: join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "slipway"),
    };
    for (const folder of Object.values(this.places)) mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.watch = this.newWatch([]);
    const info = ["info", "--format", "{{.Store.GraphDriverName}}"];
    const driver = execFileSync("podman", info, { encoding: "utf8" }).trim();
    const storage = `[storage]\ndriver = "${driver}"\ngraphroot = "${this.places.podman}"\nrunroot = "${this.places.run}"\n`;
    this.write("containers/storage.conf", storage);
    // podman asks for it where the variable is set.
    mkdirSync(dirname(this.noLogins), { mode: 0o700 });
    writeFileSync(this.noLogins, "{}");
    this.workspace.write({
      ".bazelrc": `common --disk_cache=${this.places.caches}/disk --repository_cache=${this.places.caches}/repositories\n`,
      "MODULE.bazel": moduleOf("team"),
      "BUILD.bazel": "",
    });
  }

  /** A watch over everything that comes from now on. */
  newWatch(secrets: readonly string[]): SecretWatch {
    return new SecretWatch(secrets, ...Object.values(this.places));
  }

  /** A file of logins without any, where docker and podman look for one. */
  get noLogins(): string {
    return join(this.workspace.env["DOCKER_CONFIG"] ?? "", "config.json");
  }

  get env(): Record<string, string> {
    return {
      ...this.workspace.env,
      CONTAINERS_STORAGE_CONF: this.configuration("containers/storage.conf"),
      TMPDIR: this.places.temporary,
    };
  }

  /** Where a file of his configuration is. */
  configuration(path: string): string {
    return join(this.workspace.env["XDG_CONFIG_HOME"] ?? "", path);
  }

  /** Writes a file of his configuration, for himself alone. */
  write(path: string, content: string): string {
    const file = this.configuration(path);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, content, { mode: 0o600 });
    return file;
  }

  /** As {@link write}, and there may be secrets in it. */
  writeSecret(path: string, content: string): string {
    const file = this.write(path, content);
    this.ownFiles.push(file);
    return file;
  }

  /** Declares the base of his program. */
  declareBase(image: string, digest: string): void {
    const base = `base_images = use_extension("@slipway//bazel:extensions.bzl", "base_images")
base_images.pull(name = "base", image = "${image}", digest = "${digest}")
use_repo(base_images, "base")
`;
    this.workspace.write({ "MODULE.bazel": moduleOf("team", base) });
  }

  /** Runs Bazel. Throws what it said when its status is not 0. */
  async bazel(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> {
    const ended = await this.watch.while(() => this.workspace.bazel(args, { env: { ...this.env, ...env } }));
    const said = `${ended.stdout}\n${ended.stderr}`;
    this.watch.saw(`bazel ${args.join(" ")}`, said);
    if (ended.status !== 0) throw new Error(`bazel ${args.join(" ")} ended with status ${ended.status}:\n${said}`);
    return ended;
  }

  /** Runs `slipway` from his workspace and gives what it prints, which may be a secret. */
  slipway(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
    const words = ["run", "@slipway//:slipway", "--", ...args];
    return this.watch.while(() => this.workspace.stdout(words, { env: { ...this.env, ...env } }));
  }

  /** Runs another tool and gives what it prints. Throws what it said when its status is not 0. */
  async run(command: string, args: readonly string[]): Promise<string> {
    // Without this variable skopeo looks for logins in a folder that may be another user's.
    const env = { ...this.env, XDG_RUNTIME_DIR: this.places.run };
    const { status, stdout, stderr } = await this.watch.run(command, args, { env });
    if (status !== 0) throw new Error(`${command} ${args.join(" ")} ended with status ${status}:\n${stderr}${stdout}`);
    return stdout;
  }

  /** Gives disk space back, whoever owns what is in the images. */
  async leave(): Promise<void> {
    await this.run("podman", ["rmi", "--all", "--force"]);
    const { podman, run, caches, registries } = this.places;
    for (const folder of [podman, run, caches, registries]) {
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    }
  }
}
