import { Failure, UserError } from "../core/errors.ts";
import { ProgramFailure, type ProgramResult, runProgram } from "../core/run-program.ts";
import { type GitAccess, protocolsOf, storedPassword } from "./access.ts";
import { type CredentialTrail, openCredentialSocket } from "./credential-socket.ts";
import { openSsh } from "./ssh.ts";

/** Variables that git needs: programs, proxies, the SSH agent and certificates. */
const passedOn =
  /^(PATH|TMPDIR|SSH_AUTH_SOCK|(https?|all|no)_proxy|SSL_CERT_(FILE|DIR)|CURL_CA_BUNDLE|GIT_SSL_CA(INFO|PATH))$/i;

/** Bytes of git's output that are kept. */
const maximumOutput = 64 * 1024 * 1024;

export interface GitCommand {
  readonly args: readonly string[];
  readonly gitDir?: string;
  readonly tree?: WorkTree;
  /** `-c` settings, `NAME=VALUE`. */
  readonly settings?: readonly string[];
  /** The server that it may talk to. Undefined: none. */
  readonly server?: string;
}

/** A folder of files that is no repository itself. */
export interface WorkTree {
  readonly folder: string;
  readonly index: string;
}

export interface GitOutcome extends ProgramResult {
  readonly trail: CredentialTrail;
  /** The source of the SSH key, for people. */
  readonly keySource?: string;
}

/** Without configuration of system and user, hooks and prompts, and only with the allowed protocols. */
export async function runGit(command: GitCommand, access: GitAccess): Promise<GitOutcome> {
  if (command.server === undefined)
    return { ...(await start(command, [], {}, [], access)), trail: { unanswered: false } };
  const isSsh = !/^(https|file):/i.test(command.server);
  const socket = isSsh
    ? undefined
    : await openCredentialSocket(access.findPassword ?? ((url) => storedPassword(url, access.env ?? process.env)));
  const ssh = isSsh ? await openSsh(command.server, access) : undefined;
  try {
    const settings = socket ? [`credential.helper=${socket.helper}`, "credential.useHttpPath=true"] : [];
    const outcome = await start(command, settings, ssh?.variables ?? {}, protocolsOf(access), access);
    const trail = socket?.trail() ?? { unanswered: false };
    if (trail.error !== undefined) throw trail.error;
    return { ...outcome, trail, ...(ssh?.source === undefined ? {} : { keySource: ssh.source }) };
  } finally {
    await socket?.close();
    await ssh?.close();
  }
}

/** Runs git on this machine's files, and returns its output. */
export async function gitOutput(command: Omit<GitCommand, "server">, access: GitAccess): Promise<string> {
  const { status, stdout, stderr } = await runGit(command, access);
  if (status === 0) return stdout;
  const culprit = `git ${command.args[0]}`;
  throw new Failure(
    { code: "git-failed", culprit },
    `${culprit} failed: ${lastWords(stderr)}.`,
    "If it happens again, remove Slipway's cache of git repositories: Slipway fetches them again.",
  );
}

export function lastWords(stderr: string): string {
  const lines = stderr
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const fatal = lines.filter((line) => /^(fatal|error): /.test(line));
  const words = (fatal.length > 0 ? fatal : lines.slice(-1)).map((line) => line.replace(/^(fatal|error): /, ""));
  return words.join("; ").replace(/\.$/, "").slice(0, 500) || "it said nothing";
}

const settings = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "core.attributesFile=/dev/null",
  "core.autocrlf=false",
  "core.symlinks=true",
  "gc.auto=0",
  "maintenance.auto=false",
  "init.defaultBranch=main",
  "advice.detachedHead=false",
  "submodule.recurse=false",
  "fetch.recurseSubmodules=false",
  "protocol.allow=never",
  // A server that sends nothing for a minute has gone.
  "http.lowSpeedLimit=1",
  "http.lowSpeedTime=60",
];

async function start(
  command: GitCommand,
  more: readonly string[],
  variables: Readonly<Record<string, string>>,
  protocols: readonly string[],
  access: GitAccess,
): Promise<ProgramResult> {
  const env = access.env ?? process.env;
  const inherited = Object.entries(env).filter(([name, value]) => passedOn.test(name) && value !== undefined);
  const args = [
    // The empty helper clears those of any other configuration.
    ...[
      ...settings,
      "credential.helper=",
      ...more,
      ...(command.tree ? ["core.bare=false"] : []),
      ...(command.settings ?? []),
    ].flatMap((setting) => ["-c", setting]),
    ...(command.gitDir === undefined ? [] : [`--git-dir=${command.gitDir}`]),
    ...command.args,
  ];
  const { tree } = command;
  const ofTree = tree ? { GIT_WORK_TREE: tree.folder, GIT_INDEX_FILE: tree.index } : {};
  const running = runProgram("git", args, {
    env: {
      ...Object.fromEntries(inherited),
      ...ofTree,
      ...variables,
      HOME: "/nonexistent",
      XDG_CONFIG_HOME: "/nonexistent",
      LC_ALL: "C",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_ATTR_NOSYSTEM: "1",
      GIT_TERMINAL_PROMPT: "0",
      GIT_ASKPASS: "true",
      GIT_ALLOW_PROTOCOL: protocols.join(":") || "none",
      GIT_OPTIONAL_LOCKS: "0",
    },
    cwd: tree?.folder ?? "/",
    most: maximumOutput,
    signal: access.signal,
    // A program that git starts outlives it, and would create its socket's folder again.
    onInterrupt: "kill",
    // Without its arguments, since addresses may be confidential.
    notice: `Waiting for git ${command.args[0] ?? ""}`,
  });
  return running.catch((error: unknown) => {
    if (!(error instanceof ProgramFailure)) throw error;
    const { code, culprit, reason, problem, remedy } = error;
    if (reason === "long") throw new Failure({ code: "git-failed", culprit }, problem, remedy);
    const found = reason === "missing" ? "git is not installed" : `git ${error.how}`;
    throw new UserError({ code, culprit }, `${found}, but the code is in a git repository.`, "Install git.", {
      cause: error,
    });
  });
}
