import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";

/** Images, containers and volumes of a test's own in podman. They are gone when the test ends. */
export class PodmanStorage {
  readonly folder = mkdtempSync(join(tmpdir(), "slipway-podman-"));
  readonly env: Readonly<Record<string, string>>;

  constructor() {
    const configuration = join(this.folder, "storage.conf");
    const [graph, run] = [join(this.folder, "graph"), join(this.folder, "run")];
    writeFileSync(configuration, `[storage]\ndriver = "overlay"\ngraphroot = "${graph}"\nrunroot = "${run}"\n`);
    this.env = { CONTAINERS_STORAGE_CONF: configuration };
    // First, so that it is done last.
    onTestFinished(() => rmSync(this.folder, { recursive: true }));
    onTestFinished(async () => {
      await this.podman("rm", "--force", "--all", "--time=0");
      await this.podman("rmi", "--force", "--all");
      await promisify(execFile)("umount", [join(graph, "overlay")]).catch(() => {});
    });
  }

  async podman(...args: readonly string[]): Promise<string> {
    const env = { ...process.env, ...this.env };
    const { stdout } = await promisify(execFile)("podman", args, { env, maxBuffer: 2 ** 26 });
    return stdout.trim();
  }
}
