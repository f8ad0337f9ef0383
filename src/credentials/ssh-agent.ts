import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Environment } from "../core/environment.ts";
import { runProgram } from "../core/run-program.ts";
import { temporaryFolder } from "../core/temporary-folder.ts";

/** Lives until stdin closes, however this process ends; a program's own agent ends within 10 s of it. */
const guard = `exec ssh-agent -a "$0" /bin/sh -c 'trap "" INT HUP TERM; echo; exec >&-; read -r _; kill $SSH_AGENT_PID; rm -rf "$0"' "$1"`;

export interface SshAgent {
  readonly socket: string;
  readonly close: () => Promise<void>;
}

/** Passes the key over stdin, never in a file. Ends with this process. @throws Error if OpenSSH fails or is missing */
export async function startSshAgent(key: string, environment: Environment): Promise<SshAgent> {
  const env = { ...environment };
  const folder = temporaryFolder("slipway-ssh-");
  const socket = join(folder.path, "agent");
  const agent = spawn("/bin/sh", ["-c", guard, socket, folder.path], { env, stdio: ["pipe", "pipe", "ignore"] });
  agent.stdin.on("error", () => {});
  const close = async () => {
    if (agent.pid !== undefined && agent.exitCode === null && agent.signalCode === null) {
      agent.stdin.end();
      await once(agent, "exit");
    }
    folder.remove();
  };
  try {
    // The program that it starts prints a line once it listens.
    await Promise.race([
      once(agent.stdout, "data"),
      once(agent.stdout, "end").then(() => Promise.reject(new Error("ssh-agent does not start"))),
    ]);
    // No display and no terminal, so that nothing asks for a passphrase.
    const { status } = await runProgram("ssh-add", ["-q", "-"], {
      env: { ...env, SSH_AUTH_SOCK: socket, SSH_ASKPASS_REQUIRE: "never" },
      input: key,
      onInterrupt: "kill",
    });
    if (status !== 0) throw new Error(`ssh-add ended with status ${status}`);
    return { socket, close };
  } catch (error) {
    await close();
    throw error;
  }
}
