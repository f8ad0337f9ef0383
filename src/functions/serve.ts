import { once } from "node:events";
import { rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { dirname } from "node:path";
import type { Environment } from "../core/environment.ts";
import { writeTo } from "../core/flow.ts";
import { isRunning } from "../core/processes.ts";
import { converse } from "./converse.ts";
import type { HelperAnswer, HelperRequest } from "./helper.ts";
import { KeptCalls } from "./keep.ts";
import { openEngine } from "./open-engine.ts";

/** Milliseconds. */
const interval = 250;
/** Variables that do not change an engine. */
const meaningless =
  /^(_|PWD|OLDPWD|SHLVL|LC_CTYPE|PYTHONPATH|RUNFILES_DIR|SLIPWAY_(MAIN_REPOSITORY|RUNFILES|ENGINE_HELPER|ENGINE_SOCKET))$/;
/** Milliseconds without a caller. */
const patience = 60_000;

/** Ends with the program `pid`, or when it has not called for a minute. Removes the socket's folder at the end. */
export async function serve(path: string, pid: number, images: readonly string[]): Promise<void> {
  const env: Environment = { ...process.env };
  let callers = 0;
  let idleSince = Date.now();
  const kept = new KeptCalls(env);
  const server = createServer({ allowHalfOpen: true }, async (socket) => {
    callers += 1;
    const open = async (request: HelperRequest) => {
      if (!sameEnvironment(request.env ?? {}, env)) return undefined;
      return (await engine)();
    };
    await converse(callerAt(socket), open, kept);
    socket.end();
    callers -= 1;
    idleSince = Date.now();
  });
  server.listen(path);
  await once(server, "listening");
  const engine = openEngine(env, images);
  engine.catch(() => {});
  process.stdout.on("error", () => {});
  process.stdout.write("listening\n");
  const timer = setInterval(() => {
    if (callers > 0 || (isRunning(pid) && Date.now() - idleSince < patience)) return;
    clearInterval(timer);
    server.close();
    rmSync(dirname(path), { recursive: true, force: true });
    // Open connections to the cluster would keep this process alive.
    void kept.end().finally(() => process.exit());
  }, interval);
}

function callerAt(socket: Socket) {
  socket.on("error", () => {});
  const answer = (answer: HelperAnswer) =>
    socket.writable ? writeTo(socket, `${JSON.stringify(answer)}\n`) : undefined;
  return {
    questions: socket,
    answer,
    output: (data: Buffer) => answer({ output: data.toString("base64") }),
  };
}

function sameEnvironment(one: Environment, other: Environment): boolean {
  return Object.keys({ ...one, ...other }).every((name) => meaningless.test(name) || one[name] === other[name]);
}
