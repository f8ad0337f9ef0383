import { get } from "node:http";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { heartbeat, patience } from "../../core/heartbeat.ts";
import { type HealthCheck, type Service, settlingTime } from "../model.ts";
import type { Containers, Found } from "./containers.ts";
import { type HostPorts, loopback } from "./ports.ts";

const pause = 300;

/** Restarts after which the wait ends. */
const enoughEnds = 3;

const lastLines = 10;

type Checked = Pick<Service, "ports" | "healthChecks">;

/** Checks readiness once: the service's check, else the first port. */
export async function askReadiness(service: Checked, hostPorts: HostPorts): Promise<string | undefined> {
  const { ports, healthChecks } = service;
  const port = healthChecks.readiness?.port ?? ports[0] ?? 0;
  return askHealth(healthChecks.readiness, hostPorts.get(port) ?? port);
}

/** Returns why it does not become ready. `timeLimit` is in seconds. */
export async function waitUntilReady(
  containers: Containers,
  name: string,
  service: Checked,
  hostPorts: HostPorts,
  timeLimit: number,
  restartsBefore = 0,
): Promise<string | undefined> {
  const { startup } = service.healthChecks;
  const deadline = Date.now() + timeLimit * 1000;
  let isStarted = startup === undefined;
  let startedAt: string | undefined;
  let seenAt = 0;
  let last = "";
  using _notice = heartbeat(() => `Waiting for container ${name}${last}`, {
    after: patience,
  });
  for (;;) {
    const found = await containers.find(name);
    const ended = await howItEnded(containers, name, found, restartsBefore);
    if (ended?.isFinal) return withLog(containers, name, ended.words);
    if (found?.startedAt !== startedAt) {
      startedAt = found?.startedAt;
      seenAt = Date.now();
      isStarted = startup === undefined;
    }
    let problem = ended?.words;
    if (problem === undefined && !isStarted) {
      const port = startup?.port ?? service.ports[0] ?? 0;
      problem = await askHealth(startup, hostPorts.get(port) ?? port);
      isStarted = problem === undefined;
    }
    problem ??= (await askReadiness(service, hostPorts)) ?? howYoung(startedAt, seenAt);
    if (problem === undefined) return undefined;
    last = `: ${problem}`;
    if (Date.now() > deadline) {
      const blockage = ended ? "" : await blockageOf(containers, name, service, hostPorts);
      return withLog(containers, name, `It is not ready after ${timeLimit} s: ${problem}.${blockage}`);
    }
    await delay(pause);
  }
}

/** A killed container can leave a forwarding rule, so that the port does not lead to the program. */
async function blockageOf(
  containers: Containers,
  name: string,
  { ports, healthChecks }: Checked,
  hostPorts: HostPorts,
): Promise<string> {
  const port = healthChecks.readiness?.port ?? ports[0] ?? 0;
  const hostPort = hostPorts.get(port);
  if (hostPort === undefined || (await askHealth(undefined, hostPort)) === undefined) return "";
  if (!(await containers.listens(name, port).catch(() => false))) return "";
  return ` Its program listens on port ${port}, but ${loopback}:${hostPort} does not lead there: a container that was killed may have left its rule. Remove that rule, or restart this machine: \`iptables -t nat -S | grep ${hostPort}\` lists the rules of the port.`;
}

async function howItEnded(
  containers: Containers,
  name: string,
  found: Found | undefined,
  restartsBefore: number,
): Promise<{ readonly words: string; readonly isFinal: boolean } | undefined> {
  if (found === undefined) return { words: "Its container is gone: someone removed it.", isFinal: true };
  const restarts = found.restarts - restartsBefore;
  if (restarts < enoughEnds) {
    return found.state === "running" ? undefined : { words: `its program has ended ${howOf(found)}`, isFinal: false };
  }
  const ended = await whenNotRunning(containers, name, found);
  const last = ended ? `, the last time ${howOf(ended)}` : "";
  return { words: `Its program has ended ${restarts} times${last}.`, isFinal: true };
}

/** A program that answers may still end. Only the time since it was seen counts: the engine's clock may differ. */
function howYoung(startedAt = "", seenAt: number): string | undefined {
  const seconds = Math.floor((Date.now() - Math.min(Date.parse(startedAt) || seenAt, seenAt)) / 1000);
  return seconds < settlingTime
    ? `its program has run for ${seconds} s, and counts after ${settlingTime} s`
    : undefined;
}

function howOf({ exitCode, isOutOfMemory }: Found): string {
  return isOutOfMemory
    ? "because it ran out of memory: choose a larger resources.instanceType"
    : `with status ${exitCode}`;
}

/** A crashing program runs between its ends, when its exit status is unknown. */
async function whenNotRunning(containers: Containers, name: string, found: Found): Promise<Found | undefined> {
  let now: Found | undefined = found;
  for (let tries = 0; now?.state === "running" && tries < 20; tries += 1) {
    await delay(50);
    now = await containers.find(name);
  }
  return now?.state === "running" ? undefined : now;
}

async function withLog(containers: Containers, name: string, words: string): Promise<string> {
  const chunks: Buffer[] = [];
  await containers.logs(name, { follow: false, tail: lastLines }, (data) => void chunks.push(data)).catch(() => {});
  const log = Buffer.concat(chunks).toString().trim();
  return log === "" ? `${words} It printed nothing.` : `${words} The end of its log:\n${log}`;
}

/** Milliseconds that a connection must last: a port forwarder may accept one for nobody, and then close it. */
const listening = 250;

/** Returns what is wrong, for people. Without a check: whether the port is open. */
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
