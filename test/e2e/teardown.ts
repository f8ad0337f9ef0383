import { readdirSync } from "node:fs";
import { join } from "node:path";
import { stopServer } from "../../src/registry-server/client.ts";
import { registryPaths } from "../../src/registry-server/paths.ts";
import { environment } from "./environment.ts";
import { command, scratchFolder } from "./workspace.ts";

/** Ends the servers that the tests have started, however they ended, and gives their disk space back. */
export async function teardown(): Promise<void> {
  const scratch = scratchFolder();
  for (const name of readdirSync(scratch)) {
    const path = join(scratch, name);
    if (name.startsWith("state-")) await stopServer(registryPaths({ XDG_STATE_HOME: path }));
    if (name.startsWith("output-"))
      await command(["tools/bazel", `--output_base=${path}`, "clean", "--expunge"], environment(path));
  }
}
