import type { IncomingMessage } from "node:http";
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { UserError } from "../../core/errors.ts";
import { describeSystemError } from "../../core/system-error.ts";
import { errorBody, isDiskFull, RegistryError, systemCode } from "../errors.ts";
import type { ClientWatch, IdleWatch } from "../idle.ts";
import type { RequestLog } from "../request-log.ts";
import type { Store } from "../store.ts";
import { type Tokens, tokenOf } from "../tokens.ts";
import { answerBlob } from "./blobs.ts";
import { Body, type Exchange, type Transport } from "./context.ts";
import { addControlRoutes, type Control } from "./control.ts";
import { answerManifest, listReferrers, listTags } from "./manifests.ts";
import { actionOf, parseRoute, type Route } from "./routes.ts";
import { continueUpload, startUpload } from "./uploads.ts";

export interface AppOptions {
  readonly store: Store;
  readonly tokens: Tokens;
  readonly idle: IdleWatch;
  readonly clients: ClientWatch;
  readonly log: RequestLog;
  readonly control: Control;
  readonly transportOf: (request: IncomingMessage) => Transport;
}

export function createApp(options: AppOptions): FastifyInstance {
  const { store, tokens, control, transportOf } = options;
  const bodies = new WeakMap<IncomingMessage, Body>();
  /** Requests without a right. */
  const refused = new WeakSet<IncomingMessage>();
  // Bodies are streamed; Fastify's limits are for bodies in memory.
  const app = Fastify({ logger: false, exposeHeadRoutes: false, routerOptions: { maxParamLength: 4096 } });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));
  app.setErrorHandler((error: FastifyError | Error, _request, reply) => answerError(error, reply, store.layout.root));
  app.setNotFoundHandler((request) => {
    throw new RegistryError(404, "UNSUPPORTED", `This registry has nothing at ${request.method} ${pathOf(request)}.`);
  });

  app.addHook("onRequest", async (request, reply) => {
    try {
      authorize(request, transportOf(request.raw), tokens, control.host());
    } catch (error) {
      refused.add(request.raw);
      throw error;
    }
    options.clients.saw(request.raw.socket);
    options.idle.started();
    reply.raw.once("close", () => options.idle.ended());
    if (request.headers.expect) reply.raw.writeContinue();
  });
  app.addHook("onSend", async (request, reply, payload) => {
    reply.header("docker-distribution-api-version", "registry/2.0");
    const size = typeof payload === "string" || Buffer.isBuffer(payload) ? Buffer.byteLength(payload) : 0;
    options.log.write({
      time: new Date().toISOString(),
      transport: transportOf(request.raw),
      method: request.method,
      path: request.raw.url ?? "",
      status: reply.statusCode,
      received: bodies.get(request.raw)?.received ?? 0,
      sent: request.method === "HEAD" ? 0 : Number(reply.getHeader("content-length") ?? size),
    });
    // Drain unread bytes, so that the client gets to read the answer. A stranger's may have no end.
    if (refused.has(request.raw) && !(bodySize(request) <= mostDrained)) reply.header("connection", "close");
    else request.raw.resume();
    return payload;
  });

  const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const query = new URL(request.raw.url ?? "/", "http://localhost").searchParams;
    const body = new Body(request.raw);
    bodies.set(request.raw, body);
    const exchange: Exchange = { store, request, body, query, reply, transport: transportOf(request.raw) };
    return dispatch(exchange, parseRoute(pathOf(request)));
  };
  const method = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
  app.route({ method, url: "/v2", handler: answer });
  app.route({ method, url: "/v2/*", handler: answer });
  addControlRoutes(app, store, tokens, control);
  return app;
}

type Handler = (exchange: Exchange, repository: string, reference: string) => unknown;

const handlers: Readonly<Record<Route["kind"], readonly [methods: string, handler: Handler]>> = {
  base: ["GET, HEAD", ({ reply }) => reply.send({})],
  tags: ["GET, HEAD", listTags],
  referrers: ["GET, HEAD", listReferrers],
  uploads: ["POST", startUpload],
  upload: ["GET, PATCH, PUT, DELETE", continueUpload],
  blob: ["GET, HEAD, DELETE", answerBlob],
  manifest: ["GET, HEAD, PUT, DELETE", answerManifest],
};

async function dispatch(exchange: Exchange, { kind, repository, reference }: Route): Promise<unknown> {
  const { method } = exchange.request;
  const [allow, handler] = handlers[kind];
  if (allow.split(", ").includes(method)) return handler(exchange, repository, reference);
  throw new RegistryError(405, "UNSUPPORTED", `${method} is not possible here.`, { allow });
}

/** Bytes of a refused request that are read to keep its connection. */
const mostDrained = 64 * 1024;

function bodySize({ headers }: FastifyRequest): number {
  return headers["transfer-encoding"] === undefined ? Number(headers["content-length"] ?? 0) : Number.POSITIVE_INFINITY;
}

/** Only the owner can enter the socket's folder. Over TCP, every request needs a token. */
function authorize(request: FastifyRequest, transport: Transport, tokens: Tokens, host: string): void {
  if (transport === "socket") return;
  const port = host.slice(host.lastIndexOf(":"));
  const names = ["localhost", "127.0.0.1", "[::1]"].map((name) => name + port);
  if (!names.includes(request.headers.host?.toLowerCase() ?? "")) {
    throw new RegistryError(421, "DENIED", "This registry answers to localhost alone.");
  }
  const path = pathOf(request);
  if (!path.startsWith("/v2")) throw new RegistryError(404, "UNSUPPORTED", "This registry has nothing here.");

  const challenge = { "www-authenticate": 'Basic realm="slipway"' };
  const remedy = "Get one with `slipway registry token REPOSITORY` and give it as password of the user `token`.";
  const token = tokenOf(request.headers.authorization);
  if (token === undefined) throw new RegistryError(401, "UNAUTHORIZED", `A token is needed. ${remedy}`, challenge);
  const route = parseRoute(path);
  const repository = route.kind === "base" ? undefined : route.repository;
  const verdict = tokens.check(token, repository, actionOf(route, request.method));
  if (verdict === "denied") {
    throw new RegistryError(403, "DENIED", `The token is not for ${request.method} in ${repository}. ${remedy}`);
  }
  if (verdict !== "allowed") {
    const problem = verdict === "expired" ? "The token has expired." : "The token is not of this registry's process.";
    throw new RegistryError(401, "UNAUTHORIZED", `${problem} ${remedy}`, challenge);
  }
}

function pathOf(request: FastifyRequest): string {
  const path = (request.raw.url ?? "/").split("?", 1)[0] ?? "/";
  try {
    return decodeURIComponent(path);
  } catch {
    throw new RegistryError(400, "NAME_INVALID", "The path is not valid.");
  }
}

function answerError(error: FastifyError | Error, reply: FastifyReply, folder: string): FastifyReply {
  if (error instanceof RegistryError) {
    return reply.code(error.status).headers(error.headers).send(errorBody(error.code, error.message));
  }
  if (error.name === "AbortError") return reply.code(503).send(errorBody("UNKNOWN", "The registry is stopping."));
  if (systemCode(error) === "ECONNRESET") {
    return reply.code(400).send(errorBody("BLOB_UPLOAD_INVALID", "The connection broke; what came is kept."));
  }
  if (isDiskFull(error)) {
    const message = `The disk of ${folder} is full. Make room there, for example with \`slipway registry gc --now\`, and push again.`;
    return reply.code(507).send(errorBody("STORAGE_FULL", message));
  }
  if ("statusCode" in error && error.statusCode !== undefined && error.statusCode < 500) {
    return reply.code(error.statusCode).send(errorBody("UNSUPPORTED", error.message));
  }
  // Not 500, which clients retry: a damaged store stays damaged.
  const damage = error instanceof UserError ? error : describeSystemError(error);
  if (damage) return reply.code(422).send(errorBody("UNKNOWN", `${damage.problem} ${damage.remedy}`));
  process.stderr.write(`${new Date().toISOString()} ${error.stack ?? error.message}\n`);
  return reply.code(500).send(errorBody("UNKNOWN", `The registry in ${folder} failed: ${error.message}.`));
}
