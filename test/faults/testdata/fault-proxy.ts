import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from "node:http";
import { listen } from "../../../src/registry/client/testdata/listen.ts";

/** A request that reaches the proxy. */
export interface Passing {
  readonly method: string;
  /** With query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** From 0. */
  readonly index: number;
}

/** What the registry answered, before it goes on. */
export interface Answer {
  status: number;
  readonly headers: IncomingHttpHeaders;
  body: Buffer;
}

/** Where a registry listens. */
export type Target = { readonly port: number } | { readonly socketPath: string };

/** How a request is dealt with. */
export type Treatment =
  | { readonly kind: "pass" }
  /** The connection ends before the registry sees the request. */
  | { readonly kind: "reset" }
  /** The registry does what it was asked, and nobody hears of it. */
  | { readonly kind: "lost-answer" }
  /** Half of what there is to say arrives: of the request, or where that has no body, of the answer. */
  | { readonly kind: "truncate" }
  /** The answer comes in small pieces. */
  | { readonly kind: "slow" }
  /** The registry does what it was asked, and the answer never comes. */
  | { readonly kind: "stall" }
  /** One bit of the content is another. */
  | { readonly kind: "damage" }
  | { readonly kind: "answer"; readonly status: number; readonly headers?: Record<string, string>; readonly body?: string };

export interface FaultProxy {
  /** `localhost:PORT`. */
  readonly host: string;
  readonly seen: Passing[];
  treat: (passing: Passing) => Treatment;
  /** Changes what the registry says. */
  rewrite: (answer: Answer, passing: Passing) => void;
}

const pass: Treatment = { kind: "pass" };

/**
 * Stands before a registry and does to requests what a test wants.
 *
 * @param target the registry, which speaks plain HTTP
 */
export async function faultProxy(target: Target): Promise<FaultProxy> {
  const seen: Passing[] = [];
  const server = createServer((incoming, outgoing) => {
    const { method = "", url: path = "" } = incoming;
    const passing = { method, path, headers: incoming.headers, index: seen.length };
    seen.push(passing);
    deal(proxy, proxy.treat(passing), { passing, incoming, outgoing, target }).catch(() => incoming.destroy());
  });
  const host = `localhost:${await listen(server)}`;
  const proxy: FaultProxy = { host, seen, treat: () => pass, rewrite: () => {} };
  return proxy;
}

interface Exchange {
  readonly passing: Passing;
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly target: Target;
}

async function deal(proxy: FaultProxy, treatment: Treatment, exchange: Exchange): Promise<void> {
  const { incoming, outgoing, passing } = exchange;
  if (treatment.kind === "reset") return void incoming.socket.resetAndDestroy();
  if (treatment.kind === "answer") {
    // As servers do that have enough of a request: the rest of it is not read.
    outgoing.writeHead(treatment.status, treatment.headers).end(treatment.body);
    return;
  }
  let body = await read(incoming);
  const half = body.subarray(0, body.length / 2);
  if (treatment.kind === "truncate" && body.length > 0) {
    await cutShort(exchange, half);
    return void incoming.socket.resetAndDestroy();
  }
  if (treatment.kind === "damage" && body.length > 0) body = damaged(body);
  const answer = await forward(exchange, body);
  proxy.rewrite(answer, passing);
  if (treatment.kind === "lost-answer") return void incoming.socket.resetAndDestroy();
  if (treatment.kind === "stall") return;
  if (treatment.kind === "damage" && answer.body.length > 0) answer.body = damaged(answer.body);
  const { "transfer-encoding": _, connection: __, ...rest } = answer.headers;
  outgoing.writeHead(answer.status, {
    ...rest,
    ...(passing.method === "HEAD" || answer.status === 204 ? {} : { "content-length": answer.body.length }),
  });
  if (treatment.kind === "truncate" && answer.body.length > 0) {
    outgoing.write(answer.body.subarray(0, answer.body.length / 2), () => incoming.socket.resetAndDestroy());
    return;
  }
  if (treatment.kind === "slow") {
    outgoing.flushHeaders();
    for (const piece of pieces(answer.body, 7)) {
      outgoing.write(piece);
      await turn();
    }
  }
  outgoing.end(treatment.kind === "slow" ? undefined : answer.body);
}

function* pieces(bytes: Buffer, count: number): Generator<Buffer> {
  const size = Math.max(1, Math.ceil(bytes.length / count));
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

function damaged(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  const at = copy.length >> 1;
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

async function read(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Host stays what the client wrote, so that the registry names itself as the proxy. */
function passedOn({ incoming, target, passing }: Exchange) {
  return {
    host: "127.0.0.1",
    ...target,
    method: passing.method,
    path: passing.path,
    headers: { ...incoming.headers, connection: "close" },
  };
}

async function forward(exchange: Exchange, body: Buffer): Promise<Answer> {
  const upstream = request(passedOn(exchange));
  upstream.end(body);
  const [response] = (await once(upstream, "response")) as [IncomingMessage];
  return { status: response.statusCode ?? 0, headers: response.headers, body: await read(response) };
}

/** The registry gets the beginning of a body, and no end. */
async function cutShort(exchange: Exchange, half: Buffer): Promise<void> {
  const upstream = request(passedOn(exchange));
  upstream.on("error", () => {});
  upstream.flushHeaders();
  await new Promise((resolve) => upstream.write(half, resolve));
  upstream.destroy();
}
