import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { Failure, UserError } from "../core/errors.ts";
import { systemCode } from "./errors.ts";
import { type RegistryPaths, socketExists } from "./paths.ts";
import { controlPath, type Status, type TokenRequest } from "./protocol.ts";
import type { Token } from "./tokens.ts";

/** Milliseconds. */
const answerTime = 30_000;

/** Undefined: no server listens there. @throws UserError if the server refuses, Failure if it fails or is silent */
export async function askServer<Answer>(
  socketPath: string,
  method: "GET" | "POST",
  path: string,
  body?: object,
): Promise<Answer | undefined> {
  const content = body && JSON.stringify(body);
  const headers = content ? { "content-type": "application/json", "content-length": Buffer.byteLength(content) } : {};
  const to = { socketPath, method, path: controlPath + path, headers, agent: false, timeout: answerTime };
  const question = request(to).end(content);
  question.on("error", () => {});
  question.once("timeout", () => question.destroy(new Error(`no answer in ${answerTime / 1000} seconds`)));
  let status: number;
  let answer: string;
  try {
    const [response] = (await once(question, "response")) as [IncomingMessage];
    status = response.statusCode ?? 500;
    answer = await text(response);
  } catch (cause) {
    // A stopping server drops the connection.
    if (["ENOENT", "ECONNREFUSED", "ECONNRESET", "EPIPE"].includes(systemCode(cause) ?? "")) return undefined;
    throw failure(socketPath, (cause as Error).message, cause);
  }
  if (status < 300) return JSON.parse(answer) as Answer;
  if (status >= 500) throw failure(socketPath, messageOf(answer));
  throw new UserError(
    { code: "registry-refused", culprit: socketPath },
    `The embedded registry at ${socketPath} refused the request: ${messageOf(answer)}`,
    "Correct the request.",
  );
}

function failure(socketPath: string, problem: string, cause?: unknown): Failure {
  return new Failure(
    { code: "embedded-registry", culprit: socketPath },
    `The embedded registry at ${socketPath} failed: ${problem}.`,
    "Stop it with `slipway registry stop`; the next push starts it again.",
    { cause },
  );
}

function messageOf(answer: string): string {
  try {
    const { errors } = JSON.parse(answer) as { errors: { message: string }[] };
    return errors[0]?.message ?? answer;
  } catch {
    return answer;
  }
}

export function askStatus(socketPath: string): Promise<Status | undefined> {
  return askServer<Status>(socketPath, "GET", "status");
}

/** Of any version. False: none runs. */
export async function stopServer(paths: RegistryPaths): Promise<boolean> {
  if (!(await socketExists(paths))) return false;
  return (await askServer(paths.socket, "POST", "stop")) !== undefined;
}

/** For one repository, for engines that pull over TCP, until the server stops. @throws UserError if no server runs */
export async function requestToken(socketPath: string, what: TokenRequest): Promise<Token> {
  const answer = await askServer<Token>(socketPath, "POST", "token", what);
  if (answer) return answer;
  throw new UserError(
    { code: "embedded-registry", culprit: socketPath },
    "The embedded registry is not running, so it cannot issue a token.",
    "Push an image first, or start it with `slipway registry serve`.",
  );
}
