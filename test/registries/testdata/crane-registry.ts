import { startRegistry, temporaryFolder } from "./daemon.ts";

/** crane's registry, empty. */
export function startCraneRegistry(folder = temporaryFolder()): Promise<string> {
  const args = ["registry", "serve", "--disk", folder, "--address", "127.0.0.1:0"];
  return startRegistry("crane", args, /serving on port (\d+)/);
}
