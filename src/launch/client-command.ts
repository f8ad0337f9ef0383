import { spawn } from "node:child_process";
import { pipeline } from "node:stream/promises";
import type { Environment } from "../core/environment.ts";
import type { ContainerClient } from "../engine/container/client.ts";

/** The result of a podman or docker command. */
export interface ClientAnswer {
  /** Exit status, or the name of a signal. */
  readonly status: number | string;
  readonly stdout: string;
  /** The end of its standard error. */
  readonly said: string;
}

/**
 * Runs a podman or docker command and waits for its end.
 *
 * @param input its standard input. Default: empty
 * @throws Error if it cannot be started, and the error of the input
 */
export async function runClient(
  client: ContainerClient,
  args: readonly string[],
  env: Environment,
  input: AsyncIterable<Uint8Array> = empty(),
): Promise<ClientAnswer> {
  const child = spawn(client.path, args, { env: { ...env }, stdio: ["pipe", "pipe", "pipe"] });
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-4096);
  });
  const ended = new Promise<number | string>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(code ?? signal ?? 1));
  });
  let failed: unknown;
  await pipeline(input, child.stdin).catch((error) => {
    failed = error;
  });
  const status = await ended;
  // A command that ends early closes its input. Every other input error is reported.
  if (
    failed !== undefined &&
    !["EPIPE", "ERR_STREAM_PREMATURE_CLOSE"].includes((failed as NodeJS.ErrnoException).code ?? "")
  ) {
    throw failed;
  }
  return { status, stdout, said };
}

async function* empty(): AsyncGenerator<Uint8Array> {}
