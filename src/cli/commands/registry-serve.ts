import { once } from "node:events";
import { UserError } from "../../core/errors.ts";
import { registryPaths } from "../../registry-server/paths.ts";
import { serve as serveRegistry } from "../../registry-server/single-server.ts";
import { command } from "../command.ts";
import { notice } from "./output.ts";

/** Prints its `HOST` once it answers. It does not stop when idle. */
export const serve = command({}, async () => {
  const running = await serveRegistry(registryPaths());
  if ("other" in running) {
    throw new UserError(
      { code: "embedded-registry", culprit: running.other.host },
      `The embedded registry is already running: ${running.other.host}, process ${running.other.pid}.`,
      "Use that one, or stop it with `slipway registry stop`.",
    );
  }
  if (running.notice) notice(running.notice);
  process.stdout.write(`${running.host}\n`);
  await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM"), running.stopped]);
  await running.stop();
});
