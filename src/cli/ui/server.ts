import { timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { exitStatusOf, reportOf } from "../../core/errors.ts";
import { Slots } from "../../registry/client/slots.ts";
import { pageFiles } from "./shell.ts";

export type Live = (name: string, signal: AbortSignal) => AsyncIterable<object>;

export type Answer = (words: URLSearchParams) => Promise<unknown>;

export interface UiOptions {
  /** Every request for data must have it. */
  readonly token: string;
  /** `127.0.0.1:PORT`, known once it listens. */
  readonly host: () => string;
  readonly script: string;
  readonly live: Readonly<Record<string, Live>>;
  readonly answers: Readonly<Record<string, Answer>>;
  readonly actions: Readonly<Record<string, Answer>>;
}

declare module "fastify" {
  interface FastifyContextConfig {
    /** The route gives the files of the page to anybody on this machine. Every other one needs the token. */
    isPublic?: boolean;
  }
}

/** Milliseconds between comments that keep a silent connection open. */
const keepAlive = 15_000;

/** Images are read for so many answers at once, so many more wait, and so many readers listen. */
const limits = { answers: 4, waiting: 32, listeners: 32, connections: 128 } as const;

/** Nothing but the page's own files, and nobody else's page around it. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
  "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'";

const headers = {
  "content-security-policy": policy,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "cache-control": "no-store",
} as const;

/**
 * Without a listener. The page's files contain no data, so anybody on this machine may have them. Every other route
 * needs the token, also one that is not there. It comes in a header: browsers send cookies to every port of a host, so
 * also to a server of another user.
 */
export function createUi({ token, host, script, live, answers, actions }: UiOptions): FastifyInstance {
  const app = Fastify({
    logger: false,
    exposeHeadRoutes: false,
    requestTimeout: 30_000,
    keepAliveTimeout: 5000,
    http: { headersTimeout: 10_000 },
    // Nobody has been asked for a token yet, so it tells nothing.
    frameworkErrors: (_error, _request, reply) => {
      void (reply as FastifyReply).headers(headers).code(400).send({ error: "This address cannot be read." });
    },
  });
  app.server.maxConnections = limits.connections;
  app.removeAllContentTypeParsers();
  app.addHook("onRequest", async (request, reply) => {
    reply.headers(headers);
    const refusal = refusalOf(request, host(), token);
    if (!refusal) return;
    // A body may follow, which nobody reads.
    reply.header("connection", "close");
    return reply.code(refusal.status).send({ error: refusal.words });
  });
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: "There is nothing here." }));
  app.setErrorHandler((error, _request, reply) => {
    const known = exitStatusOf(error) === 2 ? 400 : ((error as { statusCode?: number }).statusCode ?? 500);
    return reply.code(known).send({ error: reportOf(error) });
  });
  const file = (path: string, type: string, text: string) =>
    app.get(path, { config: { isPublic: true } }, async (_request, reply) =>
      reply.type(`${type}; charset=utf-8`).send(text),
    );
  file("/", "text/html", pageFiles.shell);
  file("/page.css", "text/css", pageFiles.style);
  file("/page.js", "text/javascript", script);
  addData(app, { live, answers, actions });
  return app;
}

/** A page of another tab asks again and again, so what runs at once is bounded. */
function addData(app: FastifyInstance, { live, answers, actions }: Pick<UiOptions, "live" | "answers" | "actions">) {
  const slots = new Slots(limits.answers);
  let [asked, listeners] = [0, 0];
  const busy = (reply: FastifyReply) =>
    reply.code(503).header("retry-after", "1").send({ error: "This page is busy. Close other tabs with it." });
  for (const [name, give] of Object.entries(live)) {
    app.get(`/api/live/${name}`, async (request, reply) => {
      if (listeners >= limits.listeners) return busy(reply);
      listeners++;
      const of = wordsOf(request).get("of") ?? "";
      await sendLive(reply, (signal) => give(of, signal)).finally(() => listeners--);
    });
  }
  const once = (answer: Answer) => async (request: FastifyRequest, reply: FastifyReply) => {
    if (asked >= limits.answers + limits.waiting) return busy(reply);
    asked++;
    const work = async () => (request.raw.socket.destroyed ? null : answer(wordsOf(request)));
    return reply.send(await slots.run(work).finally(() => asked--));
  };
  for (const [name, answer] of Object.entries(answers)) app.get(`/api/${name}`, once(answer));
  for (const [name, answer] of Object.entries(actions)) app.post(`/api/${name}`, once(answer));
}

function wordsOf({ url }: FastifyRequest): URLSearchParams {
  const question = url.indexOf("?");
  return new URLSearchParams(question < 0 ? "" : url.slice(question));
}

interface Refusal {
  readonly status: number;
  readonly words: string;
}

/**
 * Why a request gets no answer. The router has chosen its route, so it does not matter how the path was written.
 *
 * A name that leads to 127.0.0.1 makes another site's page ask here, with its own name in Host. Browsers say in
 * `Origin` and `Sec-Fetch-Site` who asks; programs say nothing.
 */
function refusalOf(request: FastifyRequest, host: string, token: string): Refusal | undefined {
  const { origin, authorization, ...headers } = request.headers;
  if (headers.host !== host) return { status: 421, words: "This is not the name of this page." };
  const isPublic = request.routeOptions.config?.isPublic === true && !request.is404;
  const site = headers["sec-fetch-site"];
  const isOpened = isPublic && headers["sec-fetch-mode"] === "navigate" && headers["sec-fetch-dest"] === "document";
  const isOwn = site === undefined || site === "same-origin" || isOpened;
  if (!isOwn || (origin !== undefined && origin !== `http://${host}`)) {
    return { status: 403, words: "Another site's page may ask nothing here." };
  }
  if (isPublic || isToken(authorization, token)) return undefined;
  return { status: 401, words: "This page needs the link that `slipway ui` printed." };
}

function isToken(authorization: string | undefined, token: string): boolean {
  const given = Buffer.from(authorization ?? "");
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** Ends when the browser leaves or there are no more. Never throws: nobody is left who could answer. */
async function sendLive(reply: FastifyReply, give: (signal: AbortSignal) => AsyncIterable<object>): Promise<void> {
  const leave = new AbortController();
  const { raw } = reply;
  raw.once("close", () => leave.abort());
  raw.on("error", () => leave.abort());
  reply.hijack();
  raw.writeHead(200, { ...headers, "content-type": "text/event-stream" });
  const timer = setInterval(() => raw.write(":\n\n"), keepAlive);
  const send = async (message: object) => {
    // A slow browser gets no more than it reads.
    if (!raw.write(`data: ${JSON.stringify(message)}\n\n`)) await once(raw, "drain", { signal: leave.signal });
  };
  try {
    for await (const message of give(leave.signal)) await send(message);
    await send({ end: true });
  } catch (error) {
    if (!leave.signal.aborted) await send({ error: reportOf(error) }).catch(() => {});
  } finally {
    clearInterval(timer);
    raw.end();
  }
}
