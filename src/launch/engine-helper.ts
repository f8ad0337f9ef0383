import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../core/environment.ts";
import { Failure, UserError } from "../core/errors.ts";
import { canSurelyReach } from "../engine/kubernetes/reach.ts";

/** Maximum length of a socket's path in bytes, and the part of it that we add. */
const longestPath = 100;
const socketName = "slipway-helper-XXXXXX/socket";

/**
 * Checks, before the push, that the cluster can pull the images from their registry. Starts the helper only if that is doubtful.
 *
 * @throws UserError or Failure with the helper's message
 */
export async function checkImages(helper: string, images: readonly string[], env: Environment): Promise<void> {
  if (await canSurelyReach(images, env)) return;
  const { status, stderr, error } = spawnSync(helper, ["check", ...images], { env, encoding: "utf8" });
  if (status === 0) return;
  const [problem = "", ...remedy] = (error?.message ?? stderr)
    .trim()
    .replace(/^slipway: /, "")
    .split("\n");
  throw new (status === 2 ? UserError : Failure)(problem, remedy.join("\n"));
}

/**
 * Starts the helper early, so that it is ready when the program is. It is detached, since the program that replaces this process would not
 * expect a child. It exits by itself if the program never starts.
 *
 * @param images images that the program may use
 * @param environment environment variables of the program
 * @returns the socket where the helper will listen, or undefined if it was not started
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
