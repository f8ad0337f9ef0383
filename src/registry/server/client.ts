import { request } from "node:http";
import { Failure, UserError } from "../../core/errors.ts";
import { systemCode } from "./errors.ts";
import { type RegistryPaths, socketExists } from "./paths.ts";
import { controlPath, type Status, type TokenAnswer, type TokenRequest } from "./protocol.ts";

/** Timeout for control requests, in milliseconds. */
const answerTime = 30_000;

/**
 * Sends a request to the server at a socket. Undefined if no server listens there.
 *
 * @throws UserError if the server refuses the request, Failure if it fails or does not answer
 */
export function askServer<Answer>(
  socketPath: string,
  method: "GET" | "POST",
  path: string,
  body?: object,
): Promise<Answer | undefined> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? "" : JSON.stringify(body);
    const headers =
      body === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(text) };
    const question = request({
      socketPath,
      method,
      path: controlPath + path,
      headers,
      agent: false,
      timeout: answerTime,
    });
    question.once("timeout", () => question.destroy(new Error(`no answer in ${answerTime / 1000} seconds`)));
    question.once("error", (cause) => {
      // A stopping server drops the connection.
      if (["ENOENT", "ECONNREFUSED", "ECONNRESET", "EPIPE"].includes(systemCode(cause) ?? "")) resolve(undefined);
      else reject(failure(socketPath, cause.message, cause));
    });
    question.once("response", (response) => {
      let answer = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        answer += chunk;
      });
      response.once("error", (cause) => reject(failure(socketPath, cause.message, cause)));
      response.once("end", () => {
        const status = response.statusCode ?? 500;
        if (status < 300) resolve(JSON.parse(answer) as Answer);
        else if (status < 500)
          reject(
            new UserError(
              { code: "registry-refused", culprit: socketPath },
              `The embedded registry at ${socketPath} refused the request: ${messageOf(answer)}`,
              "Correct the request.",
            ),
          );
        else reject(failure(socketPath, messageOf(answer)));
      });
    });
    question.end(text);
  });
}

function failure(socketPath: string, problem: string, cause?: Error): Failure {
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

/** Undefined when no server runs. */
export function askStatus(socketPath: string): Promise<Status | undefined> {
  return askServer<Status>(socketPath, "GET", "status");
}

/** Stops the server, of any version. False if none runs. */
export async function stopServer(paths: RegistryPaths): Promise<boolean> {
  if (!(await socketExists(paths))) return false;
  return (await askServer(paths.socket, "POST", "stop")) !== undefined;
}

/**
 * Requests a token for one repository, for engines that pull over TCP. It becomes invalid when the server stops.
 *
 * @throws UserError if no server runs
 */
export async function requestToken(socketPath: string, what: TokenRequest): Promise<TokenAnswer> {
  const answer = await askServer<TokenAnswer>(socketPath, "POST", "token", what);
  if (answer) return answer;
  throw new UserError(
    { code: "embedded-registry", culprit: socketPath },
    "The embedded registry is not running, so it cannot issue a token.",
    "Push an image first, or start it with `slipway registry serve`.",
  );
}
