import { join } from "node:path";
import type { ServiceStatus } from "../../../src/services/status.ts";
import { Machine, type Outcome } from "../../jobs/machine.ts";
import { PodmanStorage } from "./storage.ts";

/**
 * A user with the built command line and a podman of a test's own: its images, containers and volumes are nobody
 * else's, and gone when the test ends.
 */
export class PodmanUser {
  readonly machine: Machine;
  readonly #storage = new PodmanStorage();

  constructor() {
    const runfiles = join(process.env["RUNFILES_DIR"] ?? "", "_main");
    this.machine = new Machine({
      ...this.#storage.env,
      SLIPWAY_ENGINE: "container",
      SLIPWAY_SYNC_PUSH: join(runfiles, "bazel/private/service/sync_push"),
    });
  }

  /** Folders with what podman knows of containers, and with what is in volumes. */
  get state(): readonly string[] {
    return ["graph/overlay-containers", "graph/volumes", "run"].map((folder) => join(this.#storage.folder, folder));
  }

  /** Instance types as small as this machine needs, and further settings of services. */
  configure(services: object = {}): void {
    const instanceTypes = { C2: { cpu: 0.5, memory: "256MiB" }, C4: { cpu: 0.5, memory: "256MiB" } };
    this.machine.write({
      "xdg-CONFIG/slipway/config.yaml": JSON.stringify({ instanceTypes, services }),
    });
  }

  podman(...args: readonly string[]): Promise<string> {
    return this.#storage.podman(...args);
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
