import { temporaryFolder } from "../../../src/core/testdata/folder.ts";
import { daemonsOfTest } from "./daemon.ts";

/** crane's registry, empty. */
export async function startCraneRegistry(folder = temporaryFolder()): Promise<string> {
  const args = ["registry", "serve", "--disk", folder, "--address", "127.0.0.1:0"];
  return `localhost:${await daemonsOfTest().start("crane", args, /serving on port (\d+)/)}`;
}
