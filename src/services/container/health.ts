import { get } from "node:http";
import { connect } from "node:net";
import type { HealthCheck } from "../model.ts";
import { loopback } from "./ports.ts";

/**
 * Milliseconds that a connection must last: a port forwarder may accept one for a program that does not
 * listen, and then close it.
 */
const listening = 250;

/**
 * Checks a container through its published port.
 *
 * @param check undefined: whether the port is open
 * @returns what is wrong, for people; undefined if nothing is
 */
export function askHealth(check: HealthCheck | undefined, port: number): Promise<string | undefined> {
  const milliseconds = (check?.timeoutSeconds ?? 5) * 1000;
  return check === undefined ? isOpen(port, milliseconds) : answers(check.path, port, milliseconds);
}

function answers(path: string, port: number, timeout: number): Promise<string | undefined> {
  const where = `http://${loopback}:${port}${path}`;
  return new Promise((resolve) => {
    const request = get(where, { agent: false, signal: AbortSignal.timeout(timeout) }, (response) => {
      const { statusCode = 0 } = response;
      response.destroy();
      resolve(statusCode >= 200 && statusCode < 400 ? undefined : `${where} answers ${statusCode}`);
    });
    request.on("error", (error: NodeJS.ErrnoException) =>
      resolve(
        error.name === "AbortError" || error.name === "TimeoutError"
          ? `${where} has no answer within ${timeout / 1000} s`
          : `${where} does not answer (${error.code ?? error.message})`,
      ),
    );
  });
}

function isOpen(port: number, timeout: number): Promise<string | undefined> {
  const where = `${loopback}:${port}`;
  return new Promise((resolve) => {
    const socket = connect(port, loopback);
    const end = (problem: string | undefined) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(problem);
    };
    let timer = setTimeout(() => end(`${where} takes no connection within ${timeout / 1000} s`), timeout);
    socket.on("connect", () => {
      clearTimeout(timer);
      timer = setTimeout(() => end(undefined), listening);
    });
    // A program that sends first is ready.
    socket.on("data", () => end(undefined));
    socket.on("close", () => end(`nothing listens behind ${where}`));
    socket.on("error", (error: NodeJS.ErrnoException) => end(`${where} takes no connection (${error.code})`));
  });
}
