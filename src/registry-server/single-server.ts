import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../core/errors.ts";
import { type Lock, takeLock } from "../core/lock.ts";
import { askStatus } from "./client.ts";
import { makeRegistryFolders, type RegistryPaths, socketExists } from "./paths.ts";
import { removeOldPrograms } from "./program.ts";
import { protocolVersion, type Status } from "./protocol.ts";
import { type RunningRegistry, startServer } from "./server.ts";

/** Milliseconds. */
const lockPause = 20;
const lockTime = 45_000;

/** Several may start at once: one gets the lock, the others wait until it answers or exits. */
export async function serve(
  paths: RegistryPaths,
  options: { readonly stopWhenIdle?: boolean } = {},
): Promise<RunningRegistry | { readonly other: Status }> {
  process.umask(0o077);
  await makeRegistryFolders(paths);
  const lock = await waitForLock(paths);
  if ("other" in lock) return lock;
  try {
    await removeOldPrograms(paths.programs);
    const running = await startServer(paths, options);
    return { ...running, stopped: running.stopped.finally(() => lock.release()) };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function waitForLock(paths: RegistryPaths): Promise<Lock | { readonly other: Status }> {
  const deadline = Date.now() + lockTime;
  while (Date.now() < deadline) {
    const lock = takeLock(paths.lock);
    if (lock) return lock;
    const other = (await socketExists(paths)) ? await askStatus(paths.socket) : undefined;
    if (other?.protocol === protocolVersion) return { other };
    await sleep(lockPause);
  }
  throw new Failure(
    { code: "embedded-registry", culprit: paths.folder },
    `${paths.folder} is in use by a process that does not answer at ${paths.socket}.`,
    "End that process, which may be on another machine that shares the folder, or set XDG_STATE_HOME to a folder of this machine.",
  );
}
