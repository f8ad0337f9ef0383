import { spawn } from "node:child_process";
import { afterAll } from "vitest";

/**
 * A server in a process of its own, killed when the test file ends.
 *
 * @param address finds where it listens in what it prints
 * @returns what that found
 */
export function startDaemon(command: string, args: readonly string[], address: RegExp): Promise<string> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  afterAll(async () => {
    child.kill("SIGKILL");
    await ended;
  });
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
