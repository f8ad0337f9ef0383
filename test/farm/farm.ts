import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
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
  /** With TLS. Empty without certificates. */
  readonly secureAddress: string;
  readonly #folder: string;

  private constructor(addresses: readonly string[], folder: string) {
    [this.address = "", this.secureAddress = ""] = addresses;
    this.#folder = folder;
  }

  /** @param certificates folder with server.pem, server.key, and ca.pem for clients */
  static async start(certificates?: string): Promise<Farm> {
    const folder = join(scratchFolder(), "farm");
    const words = ["tools/testing/farm/start", folder, ...(certificates ? ["1", certificates] : [])];
    const { status, stdout, stderr } = await command(words, process.env as never);
    if (status !== 0) throw new Error(`the farm does not start:\n${stderr}`);
    return new Farm(stdout.split("\n"), folder);
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

  /** Stores a blob. */
  store(digest: string, bytes: Uint8Array): void {
    const file = this.#blob(digest);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }

  /** Forgets a blob. */
  evict(digest: string): void {
    rmSync(this.#blob(digest));
  }

  #blob(digest: string): string {
    return join(this.#folder, "cas/cas/objects", digest.slice(0, 2), digest.slice(2));
  }

  async stop(): Promise<void> {
    await command(["tools/testing/farm/stop", this.#folder], process.env as never);
  }
}
