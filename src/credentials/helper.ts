import { execFile } from "node:child_process";
import { homedir } from "node:os";
import type { Environment } from "../core/environment.ts";
import { heartbeat, patience } from "../core/heartbeat.ts";
import { type Credential, isSendable } from "./credential.ts";
import { passwordOrToken } from "./docker-config.ts";

/** Maximum size of a helper's answer, in bytes. */
const maximumAnswer = 1 << 20;

/** Milliseconds that a helper has: it may ask its user to unlock a keychain. */
const helperTime = 60_000;

/**
 * Asks `docker-credential-NAME get`, Docker's helper protocol: the server on its stdin, JSON on its stdout.
 *
 * @param within milliseconds
 * @returns undefined if the helper has none
 * @throws Error without the helper's stdout, which may contain secrets
 */
export async function askHelper(
  name: string,
  server: string,
  env: Environment,
  within = helperTime,
): Promise<Credential | undefined> {
  const program = `docker-credential-${name}`;
  const { status, stdout, stderr } = await runHelper(program, server, env, within);
  if (status !== 0) {
    const said = `${stdout}\n${stderr}`;
    // The protocol has no other way to say so than this fixed message.
    if (/credentials not found/i.test(said)) return undefined;
    throw helperFailed(program, status, stderr);
  }
  const { Username: username, Secret: secret } = helperAnswer(program, stdout);
  if (typeof username !== "string" || typeof secret !== "string") {
    throw new Error(`${program} did not answer with Username and Secret`);
  }
  if (secret === "") return undefined;
  if (!isSendable({ username, password: secret })) {
    throw new Error(`${program} answered with a control character, or a colon in the user name`);
  }
  return passwordOrToken(username, secret);
}

export function helperFailed(program: string, status: number | string, stderr: string): Error {
  const firstLine = stderr.trim().split("\n", 1)[0] ?? "";
  return new Error(`${program} ended with status ${status}${firstLine ? `: ${firstLine.slice(0, 200)}` : ""}`);
}

/** The fields of a helper's answer. @throws Error without the answer, which may contain secrets */
export function helperAnswer(program: string, stdout: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(stdout));
  } catch {
    throw new Error(`${program} did not answer with JSON`);
  }
}

/**
 * Runs `PROGRAM get`. Helpers run in the home folder, since a run target's working directory is a tree of build outputs.
 *
 * @throws Error if it cannot be started, writes too much or takes too long
 */
export function runHelper(
  program: string,
  input: string,
  env: Environment,
  within: number,
): Promise<{ status: number | string; stdout: string; stderr: string }> {
  const options = {
    env: { ...env },
    cwd: env["HOME"] || homedir(),
    maxBuffer: maximumAnswer,
    timeout: within,
    killSignal: "SIGKILL",
  } as const;
  const endNotice = heartbeat(`Waiting for ${program}, which may ask you to unlock something`, { after: patience });
  return new Promise<{ status: number | string; stdout: string; stderr: string }>((resolve, reject) => {
    const child = execFile(program, ["get"], options, (error, stdout, stderr) => {
      if (error?.code === "ENOENT") reject(new Error(`${program} is not on PATH`));
      else if (error?.code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER")
        reject(new Error(`${program} wrote more than ${maximumAnswer} bytes`));
      else if (error?.killed) reject(new Error(`${program} did not end within ${within / 1000} s`));
      else resolve({ status: error ? (error.signal ?? error.code ?? 1) : 0, stdout, stderr });
    });
    // The helper may exit without reading. Its status tells the result.
    child.stdin?.on("error", () => {}).end(input);
  }).finally(endNotice);
}
