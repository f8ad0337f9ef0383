import { spawn } from "node:child_process";
import { once } from "node:events";
import { open, readFile } from "node:fs/promises";
import type { Readable } from "node:stream";
import type { Environment } from "../core/environment.ts";
import { fromWire } from "../core/wire-error.ts";
import { askServer, askStatus } from "./client.ts";
import { makeRegistryFolders, notStarted, type RegistryPaths, registryPaths, socketExists } from "./paths.ts";
import { installProgram } from "./program.ts";
import { type Handshake, protocolVersion } from "./protocol.ts";

export { requestToken } from "./client.ts";

export interface EmbeddedRegistry {
  /** For our own tools, without a token. */
  readonly socketPath: string;
  /** `localhost:PORT`, for image references and engines, with tokens. */
  readonly host: string;
}

/** All else of the environment stays behind. */
const passedOn = ["HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"] as const;

/** Milliseconds. A server that replaces another waits for open requests of that one. */
const startTime = 60_000;

/** Never starts it. */
export async function findEmbeddedRegistry(
  options: { readonly env?: Environment } = {},
): Promise<EmbeddedRegistry | undefined> {
  const paths = registryPaths(options.env);
  if (!(await socketExists(paths))) return undefined;
  const status = await askStatus(paths.socket);
  return status?.protocol === protocolVersion ? { socketPath: paths.socket, host: status.host } : undefined;
}

/**
 * Starts one if none runs, and replaces one of another protocol. It is detached, and stops when idle.
 *
 * @throws UserError if its folder is open to others; Failure if it does not start
 */
export async function ensureEmbeddedRegistry(options: {
  readonly serverBundle: string;
  readonly node?: string;
  readonly env?: Environment;
  readonly notice?: (text: string) => void;
}): Promise<EmbeddedRegistry> {
  const env = options.env ?? process.env;
  const paths = registryPaths(env);
  if (await socketExists(paths)) {
    const status = await askStatus(paths.socket);
    if (status?.protocol === protocolVersion) return { socketPath: paths.socket, host: status.host };
    if (status) await askServer(paths.socket, "POST", "stop");
  }
  await makeRegistryFolders(paths);
  const node = await installProgram(options.node ?? process.execPath, paths.programs, "node-*");
  const bundle = await installProgram(options.serverBundle, paths.programs, "registry-*.mjs");
  const { host, notice } = await start(paths, node, bundle, env);
  if (notice) (options.notice ?? ((text) => process.stderr.write(`slipway: ${text}\n`)))(notice);
  return { socketPath: paths.socket, host };
}

async function start(
  paths: RegistryPaths,
  node: string,
  bundle: string,
  env: Environment,
): Promise<{ host: string; notice?: string }> {
  const log = await open(paths.log, "a", 0o600);
  const { size: saidBefore } = await log.stat();
  let handshake: Handshake | undefined;
  try {
    // The shell exits at once, so that the program that replaces the launcher does not inherit an unknown child.
    const shell = spawn("/bin/sh", ["-c", '"$@" &', "sh", node, "--disable-warning=ExperimentalWarning", bundle], {
      cwd: "/",
      detached: true,
      env: Object.fromEntries(passedOn.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]))),
      stdio: ["ignore", "ignore", log.fd, "pipe"],
    });
    const ended = Promise.race([once(shell, "exit"), once(shell, "error").then(([error]) => Promise.reject(error))]);
    // Unread data on the pipe is lost when the shell exits.
    [handshake] = await Promise.all([readHandshake(shell.stdio[3] as Readable), ended]);
  } finally {
    await log.close();
  }
  if (handshake === undefined) {
    const said = (await readFile(paths.log)).toString("utf8", saidBefore).trim().split("\n").slice(-3).join(" ");
    throw notStarted(paths, said);
  }
  if ("ready" in handshake) return handshake.ready;
  throw fromWire(handshake.failed) ?? notStarted(paths, handshake.failed.message);
}

async function readHandshake(pipe: Readable): Promise<Handshake | undefined> {
  let text = "";
  const timeout = setTimeout(() => pipe.destroy(), startTime);
  try {
    for await (const chunk of pipe) {
      text += String(chunk);
      if (text.endsWith("\n")) return JSON.parse(text) as Handshake;
    }
  } catch {
    // Destroyed by the timeout.
  } finally {
    clearTimeout(timeout);
  }
  return undefined;
}
