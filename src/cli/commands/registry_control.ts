import { UserError } from "../../oci/errors.ts";
import { stopServer } from "../../registry/server/client.ts";
import { requestToken } from "../../registry/server/ensure.ts";
import { registryPaths } from "../../registry/server/paths.ts";
import { runningRegistry } from "../embedded.ts";

/** Asks the server to stop, whatever its version. */
export async function stop(): Promise<void> {
  const stopped = await stopServer(registryPaths());
  process.stderr.write(stopped ? "The embedded registry stops.\n" : "The embedded registry is not running.\n");
}

/** Prints a token for one repository, starting the registry where it does not run. */
export async function printToken(options: {
  readonly repository: string;
  readonly push: boolean;
  readonly minutes: number;
}): Promise<void> {
  const ttlSeconds = Math.round(options.minutes * 60);
  if (!(ttlSeconds >= 1)) {
    throw new UserError(
      `--minutes ${options.minutes} is not a time.`,
      "Give a number of minutes, for example --minutes 15.",
    );
  }
  const registry = await runningRegistry();
  const actions = [options.push ? ("push" as const) : ("pull" as const)];
  const { token, expiresAt } = await requestToken(registry.socketPath, {
    repository: options.repository,
    actions,
    ttlSeconds,
  });
  process.stderr.write(`For ${registry.host}/${options.repository}, user token, valid until ${expiresAt}:\n`);
  process.stdout.write(`${token}\n`);
}
