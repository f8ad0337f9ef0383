import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { onTestFinished } from "vitest";
import type { Handshake } from "../protocol.ts";

/** Starts a server in another process, which ends with the test. Throws its error if it does not start. */
export async function serverProcess(env: Record<string, string>): Promise<{ host: string; kill(): Promise<void> }> {
  const main = join(import.meta.dirname, "..", "main.ts");
  const child: ChildProcess = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main], {
    env,
    stdio: ["ignore", "ignore", "inherit", "pipe"],
  });
  const exited = once(child, "exit");
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
  };
  onTestFinished(kill);
  const [line] = (await once(child.stdio[3] as Readable, "data")) as [Buffer];
  const handshake = JSON.parse(line.toString()) as Handshake;
  if (!("ready" in handshake)) throw Object.assign(new Error(), handshake.failed);
  return { host: handshake.ready.host, kill };
}
