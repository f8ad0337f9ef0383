import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ContainerClient } from "../containers/client.ts";
import type { Environment } from "../core/environment.ts";
import { readWhole } from "../core/read-whole.ts";

/** The result of a podman or docker command. */
interface ClientAnswer {
  /** Exit status, or the name of a signal. */
  readonly status: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Bytes of what a client prints. */
const maximumOutput = 32 * 1024 * 1024;

const read = async (stream: Readable) => (await readWhole(stream, maximumOutput)).toString();

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
  input: AsyncIterable<Uint8Array> | readonly Uint8Array[] = [],
): Promise<ClientAnswer> {
  const child = spawn(client.path, args, { env: { ...env }, stdio: ["pipe", "pipe", "pipe"] });
  const ended = once(child, "close");
  const fed = pipeline(input, child.stdin).catch(async (error: NodeJS.ErrnoException) => {
    await ended;
    // A command that ends early closes its input. Every other error of the input is reported.
    if (!["EPIPE", "ERR_STREAM_PREMATURE_CLOSE"].includes(error.code ?? "")) throw error;
  });
  const [[code, signal], stdout, stderr] = await Promise.all([ended, read(child.stdout), read(child.stderr), fed]);
  return { status: code ?? signal, stdout, stderr };
}
