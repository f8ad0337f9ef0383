import { Failure } from "../core/errors.ts";
import { shellQuote } from "../core/shell-quote.ts";
import { type SshAgent, startSshAgent } from "../credentials/ssh-agent.ts";
import type { GitAccess, GitKey } from "./access.ts";
import { storedKey } from "./access.ts";

export interface SshSession {
  readonly variables: Readonly<Record<string, string>>;
  /** The source of the key, for people. */
  readonly source?: string;
  readonly close: () => Promise<void>;
}

/** ssh asks nothing and connects only to known hosts. A key that is a text goes to its own agent, never into a file. */
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
  const identity = key?.kind === "ssh-key-file" ? [`-i ${shellQuote(key.path)}`, "-o IdentitiesOnly=yes"] : [];
  const command = ["ssh", ...options.map((option) => `-o ${option}`), ...identity].join(" ");
  const variables = { GIT_SSH_COMMAND: command, GIT_SSH_VARIANT: "ssh" };
  const source = key === undefined ? {} : { source: key.source };
  if (key?.kind !== "ssh-key") return { variables, ...source, close: async () => {} };
  const agent = await agentFor(key, access);
  return { variables: { ...variables, SSH_AUTH_SOCK: agent.socket }, ...source, close: agent.close };
}

async function agentFor(key: Extract<GitKey, { kind: "ssh-key" }>, access: GitAccess): Promise<SshAgent> {
  try {
    return await startSshAgent(key.key, access.env ?? process.env);
  } catch (cause) {
    throw new Failure(
      { code: "credential-invalid", culprit: key.source },
      `The SSH key from ${key.source} cannot be used: ${(cause as Error).message}.`,
      "Check that OpenSSH is installed and that the key has no passphrase.",
      { cause },
    );
  }
}
