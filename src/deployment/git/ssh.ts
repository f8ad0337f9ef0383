import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../../core/errors.ts";
import type { GitAccess, GitKey } from "./access.ts";
import { storedKey } from "./stored.ts";

/** How git starts ssh for one command. */
export interface SshSession {
  readonly variables: Readonly<Record<string, string>>;
  /** Where the key is from, for people. */
  readonly source?: string;
  readonly close: () => Promise<void>;
}

/**
 * ssh asks nobody anything, and speaks to no server whose key is not among the known hosts already; all else is as the user has
 * configured it. A key that is a text goes to an agent of its own over stdin, never into a file.
 */
export async function openSsh(url: string, access: GitAccess): Promise<SshSession> {
  const find = access.findKey ?? ((address: string) => storedKey(address, access.env ?? process.env));
  const key = await find(url);
  const options = [
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "ForwardAgent=no",
    "ClearAllForwardings=yes",
    "PermitLocalCommand=no",
    "ConnectTimeout=30",
    "ServerAliveInterval=20",
  ];
  const identity = key?.kind === "ssh-key-file" ? [`-i ${quoted(key.path)}`, "-o IdentitiesOnly=yes"] : [];
  const command = ["ssh", ...options.map((option) => `-o ${option}`), ...identity].join(" ");
  const variables = { GIT_SSH_COMMAND: command, GIT_SSH_VARIANT: "ssh" };
  const source = key === undefined ? {} : { source: key.source };
  if (key?.kind !== "ssh-key") return { variables, ...source, close: async () => {} };
  const agent = await startAgent(key, access);
  return { variables: { ...variables, SSH_AUTH_SOCK: agent.socket }, ...source, close: agent.close };
}

/** Runs an agent for as long as the standard input is held open: until this process ends, however it ends. */
const guard = 'trap "" INT HUP; ssh-agent -D -a "$0" & exec >&-; read -r _; kill $!; wait';

async function startAgent(key: Extract<GitKey, { kind: "ssh-key" }>, access: GitAccess) {
  const env = { ...(access.env ?? process.env) };
  const folder = await mkdtemp(join(tmpdir(), "slipway-ssh-"));
  const socket = join(folder, "agent");
  const agent = spawn("/bin/sh", ["-c", guard, socket], { env, stdio: ["pipe", "pipe", "ignore"] });
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
    const add = spawn("ssh-add", ["-q", "-"], {
      env: { ...env, SSH_AUTH_SOCK: socket, SSH_ASKPASS_REQUIRE: "never" },
      stdio: ["pipe", "ignore", "ignore"],
    });
    add.stdin.on("error", () => {});
    add.stdin.end(key.key);
    const [status] = await once(add, "close");
    if (status !== 0) throw new Error(`ssh-add ended with status ${status}`);
    return { socket, close };
  } catch (cause) {
    await close();
    throw new Failure(
      { code: "credential-invalid", culprit: key.source },
      `The SSH key from ${key.source} cannot be used: ${(cause as Error).message}.`,
      "Check that OpenSSH is installed and that the key has no passphrase.",
      { cause },
    );
  }
}

/** One word of /bin/sh, by which git starts ssh. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
