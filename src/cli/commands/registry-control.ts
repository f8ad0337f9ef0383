import { askStatus, stopServer } from "../../registry-server/client.ts";
import { requestToken } from "../../registry-server/ensure.ts";
import { registryPaths, socketExists } from "../../registry-server/paths.ts";
import { runningRegistry } from "../../registry-server/running.ts";
import { optionError } from "../usage-error.ts";
import { printJson } from "./output.ts";
import { listedImages } from "./registry-store.ts";

/** Asks the server to stop, whatever its version. */
export async function stop(): Promise<void> {
  const stopped = await stopServer(registryPaths());
  process.stderr.write(stopped ? "The embedded registry stops.\n" : "The embedded registry is not running.\n");
}

/** Prints the registry's state, without starting it. */
export async function showStatus({ json }: { readonly json: boolean }): Promise<void> {
  const paths = registryPaths();
  const status = (await socketExists(paths)) ? await askStatus(paths.socket) : undefined;
  const images = await listedImages();
  const found = {
    running: status !== undefined,
    ...(status && { host: status.host, pid: status.pid }),
    folder: paths.data,
    images: images.length,
  };
  if (json) return printJson(found);
  const where = status ? `runs: ${status.host}, process ${status.pid}` : "is not running; the next push starts it";
  const count = `${images.length} ${images.length === 1 ? "image" : "images"}`;
  process.stdout.write(`The embedded registry ${where}.\n${count} in ${paths.data}.\n`);
}

/** Prints a token for one repository. Starts the registry if it is not running. */
export async function printToken({
  repository,
  push,
  minutes,
}: {
  readonly repository: string;
  readonly push: boolean;
  readonly minutes: number;
}): Promise<void> {
  const ttlSeconds = Math.round(minutes * 60);
  if (!(ttlSeconds >= 1)) {
    const remedy = "Give a number of minutes, for example --minutes 15.";
    throw optionError("--minutes", `--minutes ${minutes} is not a time.`, remedy);
  }
  const registry = await runningRegistry();
  const actions = [push ? ("push" as const) : ("pull" as const)];
  const { token, expiresAt } = await requestToken(registry.socketPath, { repository, actions, ttlSeconds });
  process.stderr.write(`For ${registry.host}/${repository}, user token, valid until ${expiresAt}:\n`);
  process.stdout.write(`${token}\n`);
}
