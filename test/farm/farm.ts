import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { command, scratchFolder } from "../e2e/workspace.ts";

/** A blob that the farm gave or took. */
export interface Transfer {
  readonly who: "bazel" | "slipway" | "worker";
  readonly verb: "get" | "put";
  /** In hexadecimal. */
  readonly digest: string;
  readonly bytes: number;
}

/** A farm of this test. */
export class Farm {
  readonly address: string;
  readonly #folder: string;

  private constructor(address: string, folder: string) {
    this.address = address;
    this.#folder = folder;
  }

  static async start(): Promise<Farm> {
    const folder = join(scratchFolder(), "farm");
    const { status, stdout, stderr } = await command(["tools/testing/farm/start", folder], process.env as never);
    if (status !== 0) throw new Error(`the farm does not start:\n${stderr}`);
    return new Farm(stdout.trim(), folder);
  }

  /** The blobs that it gave and took while `action` ran. */
  async transfersDuring(action: () => Promise<unknown>): Promise<Transfer[]> {
    writeFileSync(join(this.#folder, "requests.log"), "");
    await action();
    const lines = readFileSync(join(this.#folder, "requests.log"), "utf8").split("\n").slice(0, -1);
    return lines.map((line) => {
      const [who, verb, digest = "", bytes] = line.split(" ");
      return { who, verb, digest, bytes: Number(bytes) } as Transfer;
    });
  }

  /** Forgets a blob. */
  evict(digest: string): void {
    rmSync(join(this.#folder, "cas/cas/objects", digest.slice(0, 2), digest.slice(2)));
  }

  async stop(): Promise<void> {
    await command(["tools/testing/farm/stop", this.#folder], process.env as never);
  }
}
