import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";
import type { ServiceStatus } from "../../../src/services/status.ts";
import { Machine, type Outcome } from "../../jobs/machine.ts";

/** A user with the built command line and a podman of a test's own: its images, containers and volumes are nobody else's, and gone when the test ends. */
export class PodmanUser {
  readonly machine: Machine;
  readonly #storage = mkdtempSync(join(tmpdir(), "slipway-podman-"));

  constructor() {
    const configuration = join(this.#storage, "storage.conf");
    const [graph, run] = [join(this.#storage, "graph"), join(this.#storage, "run")];
    writeFileSync(configuration, `[storage]\ndriver = "overlay"\ngraphroot = "${graph}"\nrunroot = "${run}"\n`);
    const runfiles = join(process.env["RUNFILES_DIR"] ?? "", "_main");
    // First, so that it is done last.
    onTestFinished(() => rmSync(this.#storage, { recursive: true }));
    onTestFinished(async () => {
      await this.podman("rm", "--force", "--all", "--time=0");
      await this.podman("rmi", "--force", "--all");
      await promisify(execFile)("umount", [join(graph, "overlay")]).catch(() => {});
    });
    this.machine = new Machine({
      CONTAINERS_STORAGE_CONF: configuration,
      SLIPWAY_ENGINE: "container",
      SLIPWAY_SYNC_PUSH: join(runfiles, "bazel/private/service/sync_push"),
    });
  }

  /** Folders with what podman knows of containers, and with what is in volumes. */
  get state(): readonly string[] {
    return ["graph/overlay-containers", "graph/volumes", "run"].map((folder) => join(this.#storage, folder));
  }

  /** Instance types as small as this machine needs, and further settings of services. */
  configure(services: object = {}): void {
    const instanceTypes = { C2: { cpu: 0.5, memory: "256MiB" }, C4: { cpu: 0.5, memory: "256MiB" } };
    this.machine.write({
      "xdg-CONFIG/slipway/config.yaml": JSON.stringify({ instanceTypes, services }),
    });
  }

  async podman(...args: readonly string[]): Promise<string> {
    const { stdout } = await promisify(execFile)("podman", args, { env: this.machine.env, maxBuffer: 2 ** 26 });
    return stdout.trim();
  }

  /** Runs the command line. */
  slipway(args: readonly string[], input?: string): Promise<Outcome> {
    return this.machine.slipway(args, {}, input);
  }

  async status(...names: readonly string[]): Promise<readonly ServiceStatus[]> {
    const { out, error, status } = await this.slipway(["service", "status", "--json", ...names]);
    if (status !== 0) throw new Error(error);
    return JSON.parse(out) as readonly ServiceStatus[];
  }

  /** What a service answers for a path, by its first endpoint. */
  async read(service: string, path: string): Promise<string> {
    const [status] = await this.status(service);
    const response = await fetch(`http://${status?.endpoints[0]}${path}`);
    if (response.status === 200) return response.text();
    throw new Error(`${response.status} ${await response.text()}`);
  }
}
