import { timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { exitStatusOf, reportOf } from "../../core/errors.ts";
import { treeShell, treeStyle } from "../image/tree/html.ts";
import { pageShell, pageStyle } from "./shell.ts";

/** Gives messages until it is aborted, each sent as it comes. */
export type Live = (name: string, signal: AbortSignal) => AsyncIterable<object>;

/** Answers once, by the words of the address. */
export type Answer = (words: URLSearchParams) => Promise<unknown>;

export interface UiOptions {
  /** The token that every request for data must have. */
  readonly token: string;
  /** `127.0.0.1:PORT`, known once it listens. */
  readonly host: () => string;
  /** The script of the page. */
  readonly script: string;
  readonly live: Readonly<Record<string, Live>>;
  readonly answers: Readonly<Record<string, Answer>>;
}

/** Milliseconds between two comments that keep a silent connection open. */
const keepAlive = 15_000;

/** Nothing but the page's own files, and nobody else's page around it. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; frame-src 'self'; " +
  "frame-ancestors 'self'; base-uri 'none'; form-action 'none'";

const headers = {
  "content-security-policy": policy,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "SAMEORIGIN",
  "cache-control": "no-store",
} as const;

/**
 * The application of `slipway ui`, without a listener. The files of the page contain no data, and anybody on this machine may have them. Data needs the
 * token, in a header: browsers send cookies to every port of a host, so also to a server of another user.
 */
export function createUi({ token, host, script, live, answers }: UiOptions): FastifyInstance {
  const app = Fastify({ logger: false, exposeHeadRoutes: false });
  app.addHook("onRequest", async (request, reply) => {
    reply.headers(headers);
    const problem = strangeness(request, host());
    if (problem) return reply.code(problem.status).send({ error: problem.words });
    if (request.url.startsWith("/api/") && !isToken(request.headers.authorization, token)) {
      return reply.code(401).send({ error: "This page needs the link that `slipway ui` printed." });
    }
  });
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: "There is nothing here." }));
  app.setErrorHandler((error, _request, reply) =>
    reply.code(exitStatusOf(error) === 2 ? 400 : 500).send({ error: reportOf(error) }),
  );
  const file = (path: string, type: string, text: string) =>
    app.get(path, async (_request, reply) => reply.type(`${type}; charset=utf-8`).send(text));
  file("/", "text/html", pageShell);
  file("/page.css", "text/css", pageStyle);
  file("/page.js", "text/javascript", script);
  file("/tree", "text/html", treeShell);
  file("/tree.css", "text/css", treeStyle);
  for (const [name, give] of Object.entries(live)) {
    app.get(`/api/live/${name}`, async (request, reply) => {
      const of = wordsOf(request).get("of") ?? "";
      await sendLive(reply, (signal) => give(of, signal));
    });
  }
  for (const [name, answer] of Object.entries(answers)) {
    app.get(`/api/${name}`, async (request, reply) => reply.send(await answer(wordsOf(request))));
  }
  return app;
}

function wordsOf({ url }: FastifyRequest): URLSearchParams {
  return new URL(url, "http://localhost").searchParams;
}

/** Why a request is not from this page. A name that leads to 127.0.0.1 makes another site's page ask here, with its own name in Host. */
function strangeness({ headers }: FastifyRequest, host: string): { status: number; words: string } | undefined {
  if (headers.host !== host) return { status: 421, words: "This is not the name of this page." };
  const { origin } = headers;
  if (origin !== undefined && origin !== `http://${host}`) {
    return { status: 403, words: "Another site's page may ask nothing here." };
  }
  return undefined;
}

function isToken(authorization: string | undefined, token: string): boolean {
  const given = Buffer.from(authorization ?? "");
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** Sends server-sent events until the browser leaves or there are no more. */
async function sendLive(reply: FastifyReply, give: (signal: AbortSignal) => AsyncIterable<object>): Promise<void> {
  const leave = new AbortController();
  const { raw } = reply;
  raw.once("close", () => leave.abort());
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
    if (!leave.signal.aborted) await send({ error: reportOf(error) });
  } finally {
    clearInterval(timer);
    raw.end();
  }
}
