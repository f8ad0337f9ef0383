import { setTimeout as delay } from "node:timers/promises";
import { type Failure, UserError } from "../core/errors.ts";
import type { Sink } from "../core/flow.ts";
import type { Api, WebSocketLike } from "./api.ts";
import { refusalOf } from "./api-error.ts";

/** Milliseconds until a connection must be open. */
const patience = 30_000;
/** Milliseconds between two pings, and without an answer after which a connection counts as broken. */
const pingTime = 10_000;
const silence = 30_000;
/** Maximum bytes of a message. A container runtime refuses those above 32 MiB. */
const largestMessage = 256 * 1024;
/** Bytes that may wait to be sent. */
const mostBuffered = 1024 * 1024;

/** A connection to a port of a pod's loopback interface, through the API server. */
export interface PodConnection {
  /** A promise settles when there is room for more. */
  write(data: Buffer): void | Promise<void>;
  close(): void;
  /** Settles when it is over, with what its node says of the reason. */
  readonly closed: Promise<string>;
}

/**
 * Opens a connection. Whether a program in the pod accepts it shows later: if none does, it closes soon.
 *
 * @param onData a promise holds back more
 * @throws UserError, Failure if the server refuses or does not answer
 */
export async function connectPod(
  api: Api,
  { namespace, pod, port }: { readonly namespace: string; readonly pod: string; readonly port: number },
  onData: Sink,
): Promise<PodConnection> {
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}/portforward?ports=${port}`;
  const { promise: closed, resolve } = Promise.withResolvers<string>();
  // Each channel begins with the number of the port.
  const begun = new Set<number>();
  let socket: WebSocketLike | undefined;
  let held = 0;
  const end = (why: string) => {
    resolve(why);
    socket?.terminate();
  };
  const take = (channel: number, message: Buffer) => {
    const data = begun.has(channel) ? message : message.subarray(2);
    begun.add(channel);
    if (data.length === 0) return;
    if (channel !== 0) return end(data.toString());
    const pending = onData(data);
    if (pending === undefined) return;
    held += 1;
    socket?.pause();
    void pending.finally(() => {
      held -= 1;
      if (held === 0) socket?.resume();
    });
  };
  const opening = api.webSocket(path, take).catch((error: unknown) => {
    throw withRight(error, namespace);
  });
  socket = await inTime(opening, api, path);
  if (held > 0) socket.pause();
  const open = socket;
  const timer = keepAlive(open, () => held > 0, end);
  void closed.finally(() => clearInterval(timer));
  open.onclose = () => end("");
  return {
    write: (data) => {
      let sent: Promise<void> | undefined;
      for (let at = 0; at < data.length; at += largestMessage) {
        const message = Buffer.concat([Buffer.of(0), data.subarray(at, at + largestMessage)]);
        sent = new Promise((done) => open.send(message, () => done()));
      }
      return open.bufferedAmount > mostBuffered ? sent : undefined;
    },
    close: () => end(""),
    closed,
  };
}

async function inTime(opening: Promise<WebSocketLike>, api: Api, path: string): Promise<WebSocketLike> {
  const over = new AbortController();
  const late = delay(patience, undefined, { signal: over.signal, ref: false });
  const socket = await Promise.race([opening, late]).finally(() => over.abort());
  late.catch(() => {});
  if (socket) return socket;
  opening.then(
    (open) => open.terminate(),
    () => {},
  );
  throw api.broken(path, new Error("no answer in time"));
}

/** A connection through a broken network stays open for hours. Not every server answers pings. */
function keepAlive(socket: WebSocketLike, isHeld: () => boolean, end: (why: string) => void): NodeJS.Timeout {
  let heard: number | undefined;
  socket.on("pong", () => {
    heard = performance.now();
  });
  return setInterval(() => {
    // Held back with it are answers to pings.
    if (isHeld()) heard &&= performance.now();
    else if (heard !== undefined && performance.now() - heard > silence) end("it does not answer");
    else socket.ping();
  }, pingTime).unref();
}

/** Names the right where the server does not. */
function withRight(error: unknown, namespace: string): unknown {
  if (refusalOf(error)?.status !== 403 || error instanceof UserError) return error;
  const { problem } = error as Failure;
  return new UserError(
    { code: "cluster-refused", culprit: "create pods/portforward" },
    `This user may not create pods/portforward in the namespace ${namespace}: ${problem}`,
    "Ask the cluster's administrator for the role of functions in docs/kubernetes.md. `slipway doctor` lists what is missing.",
    { cause: (error as Failure).cause },
  );
}
