import { type ChildProcess, spawn } from "node:child_process";
import { onTestFinished } from "vitest";

/** Servers in processes of their own. */
export class Daemons {
  readonly #running = new Map<ChildProcess, Promise<void>>();

  /**
   * Starts one.
   *
   * @param address finds where it listens in what it prints
   * @returns what that found
   */
  start(command: string, args: readonly string[], address: RegExp): Promise<string> {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
    this.#running.set(child, ended);
    return new Promise((resolve, reject) => {
      let said = "";
      const listen = (chunk: Buffer) => {
        said += chunk;
        const found = address.exec(said)?.[1];
        if (found !== undefined) resolve(found);
      };
      child.stdout.on("data", listen);
      child.stderr.on("data", listen);
      child.once("error", reject);
      ended.then(() => reject(new Error(`${command} ended: ${said}`)));
    });
  }

  /** Kills all of them. */
  async stop(): Promise<void> {
    for (const child of this.#running.keys()) child.kill("SIGKILL");
    await Promise.all(this.#running.values());
  }
}

/** The daemons of one test, which end with it. */
export function daemonsOfTest(): Daemons {
  const daemons = new Daemons();
  onTestFinished(() => daemons.stop());
  return daemons;
}
