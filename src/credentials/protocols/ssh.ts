import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../../core/environment.ts";
import { Failure, UserError } from "../../core/errors.ts";
import type { SshKey } from "../credential.ts";
import { findSshKey } from "../find-remote.ts";
import type { ServiceUrl } from "../service-url.ts";

/** Options of OpenSSH's client that take a value. */
const withValue = new Set("BbcDEeFIiJLlmOoPpQRSWw");

/**
 * Reads the arguments that git gives its SSH command: options, the destination, and the command for the server with the repository's
 * path in quotes.
 *
 * @returns undefined if there is no destination: git uses `ssh -G` and `ssh -V` to detect the kind of SSH
 */
export function parseSshArguments(args: readonly string[]): ServiceUrl | undefined {
  let port: number | undefined;
  let index = 0;
  for (; index < args.length && args[index]?.startsWith("-"); index++) {
    const option = args[index] as string;
    if (/^-[GV]/.test(option)) return undefined;
    const letter = option.at(-1) as string;
    if (option[1] === "p") port = Number(option.length > 2 ? option.slice(2) : args[index + 1]);
    if (option.length === 2 && withValue.has(letter)) index++;
  }
  const destination = args[index];
  if (destination === undefined) return undefined;
  const at = destination.lastIndexOf("@");
  const [, path = ""] = /^\S+ '?(.*?)'?$/s.exec(args.slice(index + 1).join(" ")) ?? [];
  return {
    scheme: "ssh",
    user: at < 0 ? undefined : destination.slice(0, at),
    host: destination.slice(at + 1).toLowerCase(),
    port,
    path: path.replace(/^\/+|\/+$/g, "").replace(/\.git$/, ""),
  };
}

/**
 * Git's SSH command (`core.sshCommand`): OpenSSH's client with the key for the server, or unchanged if there is none. A key from AWS goes to
 * an agent that lives as long as the connection, and never into a file.
 *
 * @returns the exit status
 * @throws UserError or Failure if the matching source cannot be read
 */
export async function runSsh(args: readonly string[], env: Environment): Promise<number> {
  const url = parseSshArguments(args);
  const key = url && (await findSshKey(url, env)).credential;
  if (!key) return run(args, env);
  if (key.kind === "ssh-key-file") return run([...(await keyFileOptions(key)), ...args], env);
  await using agent = await startAgent(key, env);
  const own = ["-o", `IdentityAgent=${agent.socket}`, "-o", "IdentityFile=none", "-o", "IdentitiesOnly=no"];
  // Keep the agent alive during the connection.
  return await run([...own, ...args], env);
}

async function keyFileOptions({ path }: Extract<SshKey, { kind: "ssh-key-file" }>): Promise<string[]> {
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) {
    throw new UserError(
      { code: "folder-unsafe", culprit: path },
      `Other users can read the SSH key ${path} (mode ${(mode & 0o777).toString(8)}), so OpenSSH refuses it.`,
      `Close it with \`chmod 600 ${path}\`.`,
    );
  }
  return ["-i", path, "-o", "IdentitiesOnly=yes"];
}

/** An agent for one key and one connection. */
interface Agent extends AsyncDisposable {
  readonly socket: string;
}

async function startAgent(key: Extract<SshKey, { kind: "ssh-key" }>, env: Environment): Promise<Agent> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-ssh-"));
  const socket = join(folder, "agent");
  const agent = spawn("ssh-agent", ["-D", "-a", socket], { env: { ...env }, stdio: ["ignore", "pipe", "ignore"] });
  const stop = async () => {
    agent.kill();
    if (agent.exitCode === null && agent.signalCode === null && agent.pid !== undefined) await once(agent, "exit");
    await rm(folder, { recursive: true, force: true });
  };
  try {
    // It prints the path of its socket when it is ready.
    await Promise.race([once(agent.stdout, "data"), endedEarly(agent)]);
    await addKey(key, socket, env);
  } catch (error) {
    await stop();
    throw error;
  }
  return { socket, [Symbol.asyncDispose]: stop };
}

async function addKey({ key }: { readonly key: string }, socket: string, env: Environment): Promise<void> {
  const child = spawn("ssh-add", ["-q", "-"], {
    // No display and no terminal, so that nothing asks for a passphrase.
    env: { ...env, SSH_AUTH_SOCK: socket, SSH_ASKPASS_REQUIRE: "never" },
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  child.stdin?.on("error", () => {});
  child.stdin?.end(key);
  if ((await statusOf(child, "ssh-add")) === 0) return;
  throw new UserError(
    { code: "credential-invalid", culprit: "private_key" },
    "ssh-add refused the private_key of the AWS secret for this git server.",
    "Store a key without a passphrase, in OpenSSH's or PEM format, with its line ends.",
  );
}

async function run(args: readonly string[], env: Environment): Promise<number> {
  const child = spawn("ssh", args, { env: { ...env }, stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  return statusOf(child, "ssh");
}

/** The exit status of a child, as shells count it. */
async function statusOf(child: ChildProcess, program: string): Promise<number> {
  let ended: unknown[];
  try {
    ended = await once(child, "exit");
  } catch (cause) {
    throw new Failure(
      { code: "program-missing", culprit: program },
      `${program} cannot be run (${(cause as NodeJS.ErrnoException).code}), and git needs it for this server.`,
      "Install OpenSSH's client (Debian: openssh-client).",
      { cause },
    );
  }
  const [status, signal] = ended as [number | null, NodeJS.Signals | null];
  return status ?? 128 + (signal ? constants.signals[signal] : 0);
}

async function endedEarly(agent: ChildProcess): Promise<never> {
  await statusOf(agent, "ssh-agent");
  throw new Failure(
    { code: "program-failed", culprit: "ssh-agent" },
    "ssh-agent ended at once.",
    "Check that OpenSSH's agent works here: `ssh-agent -D`.",
  );
}
