import { homedir } from "node:os";
import type { Environment } from "../core/environment.ts";
import { ProgramFailure, type ProgramResult, runProgram } from "../core/run-program.ts";
import { type Credential, isSendable } from "./credential.ts";
import { passwordOrToken } from "./docker-config.ts";

const maximumAnswer = 1 << 20;

/** Milliseconds: it may ask its user to unlock a keychain. */
const helperTime = 60_000;

/** `docker-credential-NAME get`. Undefined: it has none. @throws Error without its stdout, which may contain secrets */
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
    // The protocol says so by this fixed message only.
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

export function helperFailed(program: string, status: number, stderr: string): Error {
  const firstLine = stderr.trim().split("\n", 1)[0] ?? "";
  return new Error(`${program} ended with status ${status}${firstLine ? `: ${firstLine.slice(0, 200)}` : ""}`);
}

/** @throws Error without the answer, which may contain secrets */
export function helperAnswer(program: string, stdout: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(stdout));
  } catch {
    throw new Error(`${program} did not answer with JSON`);
  }
}

/** In the home folder: a run target's working directory is a tree of build outputs. */
export async function runHelper(
  program: string,
  input: string,
  env: Environment,
  within: number,
): Promise<ProgramResult> {
  const cwd = env["HOME"] || homedir();
  const notice = `Waiting for ${program}, which may ask you to unlock something`;
  return runProgram(program, ["get"], { env, cwd, input, most: maximumAnswer, time: within, notice }).catch((error) => {
    throw error instanceof ProgramFailure ? new Error(`${program} ${error.how}`) : error;
  });
}
