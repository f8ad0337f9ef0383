import { spawn } from "node:child_process";
import { once } from "node:events";
import { stat } from "node:fs/promises";
import { constants } from "node:os";
import type { Environment } from "../../core/environment.ts";
import { Failure, UserError } from "../../core/errors.ts";
import type { SshKey } from "../credential.ts";
import { findSshKey } from "../find-remote.ts";
import type { ServiceUrl } from "../service-url.ts";
import { type SshAgent, startSshAgent } from "../ssh-agent.ts";

/** OpenSSH's. */
const withValue = new Set("BbcDEeFIiJLlmOoPpQRSWw");

/** Undefined: no destination, as git uses `ssh -G` and `ssh -V` to detect the kind of SSH. */
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

/** `core.sshCommand`. A key from AWS goes to an agent that lives as long as the connection, never into a file. */
export async function runSsh(args: readonly string[], env: Environment): Promise<number> {
  const url = parseSshArguments(args);
  const key = url && (await findSshKey(url, env)).credential;
  if (!key) return run(args, env);
  if (key.kind === "ssh-key-file") return run([...(await keyFileOptions(key)), ...args], env);
  const { socket, close } = await agentFor(key, env);
  const own = ["-o", `IdentityAgent=${socket}`, "-o", "IdentityFile=none", "-o", "IdentitiesOnly=no"];
  return run([...own, ...args], env).finally(close);
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

async function agentFor({ key }: Extract<SshKey, { kind: "ssh-key" }>, env: Environment): Promise<SshAgent> {
  try {
    return await startSshAgent(key, env);
  } catch (cause) {
    throw new UserError(
      { code: "credential-invalid", culprit: "private_key" },
      `The private_key of the AWS secret for this git server cannot be used: ${(cause as Error).message}.`,
      "Install OpenSSH's client, and store a key without a passphrase, in OpenSSH's or PEM format, with its line ends.",
      { cause },
    );
  }
}

async function run(args: readonly string[], env: Environment): Promise<number> {
  const child = spawn("ssh", args, { env: { ...env }, stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  let ended: unknown[];
  try {
    ended = await once(child, "exit");
  } catch (cause) {
    throw new Failure(
      { code: "program-missing", culprit: "ssh" },
      `ssh cannot be run (${(cause as NodeJS.ErrnoException).code}), and git needs it for this server.`,
      "Install OpenSSH's client (Debian: openssh-client).",
      { cause },
    );
  }
  // As shells count it.
  const [status, signal] = ended as [number | null, NodeJS.Signals | null];
  return status ?? 128 + (signal ? constants.signals[signal] : 0);
}
