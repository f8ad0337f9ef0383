import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../core/environment.ts";
import { Failure } from "../core/errors.ts";
import { ProgramFailure, runProgram } from "../core/run-program.ts";
import { canSurelyReach } from "../kubernetes/reach.ts";

/** Bytes of a socket's path, and the part of it that we add. */
const longestPath = 100;
const socketName = "slipway-helper-XXXXXX/socket";

/** Checks before the push, and starts the helper only if in doubt: it prints the error, whose status is this one's. */
export async function checkImages(helper: string, images: readonly string[], env: Environment): Promise<void> {
  if (await canSurelyReach(images, env)) return;
  const checking = runProgram(helper, ["check", ...images], { env, onStderr: "inherit" });
  const { status } = await checking.catch((cause: unknown) => {
    if (!(cause instanceof ProgramFailure)) throw cause;
    const identity = { code: "target-invalid", culprit: helper } as const;
    throw new Failure(identity, cause.problem, "Build the target again.", { cause });
  });
  if (status !== 0) process.exit(status);
}

/**
 * Detached, as the program that replaces this process expects no child. It exits if the program never starts.
 *
 * @returns its socket; undefined if it was not started
 */
export async function startHelper(
  helper: string,
  images: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const parent = tmpdir();
  if (Buffer.byteLength(parent) + socketName.length >= longestPath) return undefined;
  const socket = join(mkdtempSync(join(parent, "slipway-helper-")), "socket");
  const words = [helper, "serve", socket, String(process.pid), ...images];
  const shell = spawn("/bin/sh", ["-c", '"$@" &', "sh", ...words], {
    env: environment,
    stdio: "ignore",
    detached: true,
  });
  await once(shell, "exit");
  return socket;
}
