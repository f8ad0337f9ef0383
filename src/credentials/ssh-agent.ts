import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../core/environment.ts";

/** Runs an agent for as long as the standard input is held open: until this process ends, however it ends. */
const guard = 'trap "" INT HUP; ssh-agent -D -a "$0" & exec >&-; read -r _; kill $!; wait; rm -rf "$1"';

/** An SSH agent with one key. */
export interface SshAgent {
  readonly socket: string;
  readonly close: () => Promise<void>;
}

/**
 * Starts an agent with a key, which goes there over stdin and never into a file. The agent ends with this process.
 *
 * @throws Error if OpenSSH is missing or refuses the key
 */
export async function startSshAgent(key: string, environment: Environment): Promise<SshAgent> {
  const env = { ...environment };
  const folder = await mkdtemp(join(tmpdir(), "slipway-ssh-"));
  const socket = join(folder, "agent");
  const agent = spawn("/bin/sh", ["-c", guard, socket, folder], { env, stdio: ["pipe", "pipe", "ignore"] });
  agent.stdin.on("error", () => {});
  const close = async () => {
    if (agent.pid !== undefined && agent.exitCode === null && agent.signalCode === null) {
      agent.stdin.end();
      await once(agent, "exit");
    }
    await rm(folder, { recursive: true, force: true });
  };
  try {
    // It names its socket on stdout once it listens there.
    await Promise.race([
      once(agent.stdout, "data"),
      once(agent.stdout, "end").then(() => Promise.reject(new Error("ssh-agent does not start"))),
    ]);
    // No display and no terminal, so that nothing asks for a passphrase.
    const add = spawn("ssh-add", ["-q", "-"], {
      env: { ...env, SSH_AUTH_SOCK: socket, SSH_ASKPASS_REQUIRE: "never" },
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
    add.stdin.on("error", () => {});
    add.stdin.end(key);
    const [status] = await once(add, "close");
    if (status !== 0) throw new Error(`ssh-add ended with status ${status}`);
    return { socket, close };
  } catch (error) {
    await close();
    throw error;
  }
}
