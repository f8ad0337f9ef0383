import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { UserError } from "../core/errors.ts";
import { type EmbeddedRegistry, ensureEmbeddedRegistry, findEmbeddedRegistry } from "./ensure.ts";

/** Beside the bundles of the command line and of the engine helper, as the build puts it. */
const serverBundle = fileURLToPath(new URL("../registry_server.mjs", import.meta.url));

/** Starts it if need be. @throws UserError when no server is beside this program */
export async function runningRegistry(): Promise<EmbeddedRegistry> {
  const found = await findEmbeddedRegistry();
  const registry = found ?? (existsSync(serverBundle) ? await ensureEmbeddedRegistry({ serverBundle }) : undefined);
  if (registry) return registry;
  throw new UserError(
    { code: "embedded-registry", culprit: "embedded registry" },
    "The embedded registry is not running.",
    "Start it with `slipway registry serve`.",
  );
}
