import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../core/environment.ts";
import { Failure, UserError } from "../core/errors.ts";
import { canSurelyReach } from "../engine/kubernetes/reach.ts";

/** Bytes of a path that a socket can have, and those of its own name. */
const longestPath = 100;
const socketName = "slipway-helper-XXXXXX/socket";

/**
 * Refuses images, before they are pushed, that the cluster cannot pull from where they will be. The helper is asked only where something may be wrong.
 *
 * @throws UserError, Failure with what the helper says
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
 * Starts the helper for the program that this process is going to become, so that it is ready when the program is. It is nobody's child: what this
 * process becomes would not know that it has one. It ends by itself where there will be no program.
 *
 * @param images that the program may call
 * @param environment of the program
 * @returns where the helper will listen, once this process may become another; undefined where it was not started
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
