import { request } from "node:http";
import type { Environment } from "../core/environment.ts";
import { Failure } from "../core/errors.ts";
import { dockerEndpoint } from "./docker-endpoint.ts";

/** Docker's client would wait for ever for a daemon that does not answer. */
export async function checkDocker(env: Environment, milliseconds = 5000): Promise<void> {
  const endpoint = dockerEndpoint(env);
  if (endpoint.kind !== "local") return;
  const problem = await ping(endpoint.socket, milliseconds);
  if (problem === undefined) return;
  throw new Failure(
    { code: "engine-unavailable", culprit: endpoint.socket },
    `Docker's daemon at ${endpoint.socket} does not work: ${problem}.`,
    "Start it again, or set SLIPWAY_ENGINE=process to run without containers.",
  );
}

function ping(socketPath: string, milliseconds: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const asked = request({ socketPath, path: "/_ping", timeout: milliseconds, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? undefined : `it answers ${response.statusCode}`);
    });
    asked.on("timeout", () => asked.destroy(new Error(`no answer within ${milliseconds / 1000} s`)));
    asked.on("error", (error) => resolve(error.message));
    asked.end();
  });
}
