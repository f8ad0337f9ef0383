import { createHash, randomBytes } from "node:crypto";
import { createReadStream, existsSync, readFileSync } from "node:fs";
import { chmod, open, rename, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import { Backoff } from "../core/back-off.ts";
import { Failure, messageOf } from "../core/errors.ts";
import type { PodAccess } from "../functions/pod-access.ts";
import { type Content, damaged, type Remote } from "./file-place.ts";

/** The file with {@link PodAccess} in the folder of a pod. */
export const accessFile = "access.json";

const policy = { attempts: 6, firstDelay: 500 };
/** Milliseconds that a registry may be silent. */
const patience = 60_000;
/** Milliseconds that a new token may take: nodes look for changes of Secrets about once a minute. */
const renewal = 180_000;

interface Question {
  readonly method: "GET" | "HEAD" | "POST" | "PUT";
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: () => Readable;
}

/**
 * The registry as pods reach it: the part of the distribution specification 1.1 that moves blobs, since the programs of
 * users contain no registry client. Keep python/slipway/_pod_files.py the same.
 *
 * @param path of the file with {@link PodAccess}, which changes when the token is renewed
 */
export function podRemote(path: string): Remote {
  return {
    fetch: (content, target) => fetchBlob(path, content, target),
    store: (content, source) => storeBlob(path, content, source),
  };
}

function accessIn(path: string): PodAccess {
  const access = JSON.parse(readFileSync(path, "utf8")) as PodAccess;
  if (access.url !== undefined) return { ...access, ...namedCredential(dirname(path)) };
  throw new Failure({ code: "registry-login", culprit: "files" }, access.problem ?? "", access.remedy ?? "");
}

/** The Secret that the user named, if any. */
function namedCredential(folder: string): Pick<PodAccess, "authorization"> {
  if (!existsSync(join(folder, "username"))) return {};
  const [name, password] = ["username", "password"].map((key) => readFileSync(join(folder, key), "utf8").trim());
  return { authorization: `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}` };
}

async function storeBlob(path: string, { digest, size }: Content, source: string): Promise<void> {
  await withPatience(`storing ${digest}`, async () => {
    const head = await ask(path, `blobs/${digest}`, { method: "HEAD" });
    head.resume();
    if (head.statusCode === 200) return;
    const started = await ask(path, "blobs/uploads/", { method: "POST", headers: { "content-length": 0 } });
    started.resume();
    const { location } = started.headers;
    if (started.statusCode !== 202 || location === undefined) throw refusal(started);
    const target = reached(accessIn(path), location);
    target.search += `${target.search === "" ? "?" : "&"}digest=${encodeURIComponent(digest)}`;
    const headers = { "content-type": "application/octet-stream", "content-length": size };
    const body = () => (size === 0 ? Readable.from([]) : createReadStream(source));
    const ended = await ask(path, target, { method: "PUT", headers, body });
    if (ended.statusCode !== 201) throw refusal(ended);
    ended.resume();
  });
}

async function fetchBlob(path: string, content: Content, target: string): Promise<void> {
  const { digest, size } = content;
  const partial = `${target}.${randomBytes(6).toString("hex")}`;
  try {
    let hash = createHash("sha256");
    let done = 0;
    await withPatience(`fetching ${digest}`, async () => {
      // A retry goes on where the last one broke off.
      const headers: Record<string, string> = done > 0 ? { range: `bytes=${done}-${size - 1}` } : {};
      const answer = await ask(path, `blobs/${digest}`, { method: "GET", headers });
      if (answer.statusCode === 404) throw lost(digest);
      if (answer.statusCode !== 200 && answer.statusCode !== 206) throw refusal(answer);
      if (answer.statusCode === 200) {
        hash = createHash("sha256");
        done = 0;
      }
      const file = await open(partial, done > 0 ? "a" : "w", 0o600);
      try {
        for await (const piece of answer as AsyncIterable<Buffer>) {
          await file.writeFile(piece);
          hash.update(piece);
          done += piece.length;
          if (done > size) throw damaged(digest, `it has more than ${size} bytes`);
        }
      } finally {
        await file.close();
      }
      if (done < size) throw new Error(`the answer ended after ${done} of ${size} bytes`);
    });
    if (`sha256:${hash.digest("hex")}` !== digest) throw damaged(digest, new URL(accessIn(path).url ?? "").host);
    await chmod(partial, 0o444);
    await rename(partial, target);
  } finally {
    await rm(partial, { force: true });
  }
}

async function withPatience(doing: string, act: () => Promise<void>): Promise<void> {
  const backoff = new Backoff(policy);
  for (;;) {
    try {
      return await act();
    } catch (error) {
      // No retry mends it.
      if (error instanceof Failure) throw error;
      if (await backoff.wait()) continue;
      throw new Failure(
        { code: "registry-unreachable", culprit: "files" },
        `${doing} failed ${policy.attempts} times in this pod: ${messageOf(error).split("\n", 1)[0]}.`,
        "Check that pods of the cluster reach the registry.",
      );
    }
  }
}

/** Asks with the token that is in the file now. One that is refused is waited for until it was renewed. */
async function ask(path: string, target: string | URL, question: Question): Promise<IncomingMessage> {
  for (const end = Date.now() + renewal; ; ) {
    const access = accessIn(path);
    const answer = await send(access, new URL(target, access.url), question);
    if (answer.statusCode !== 401 && answer.statusCode !== 403) return answer;
    answer.resume();
    for (;;) {
      if (accessIn(path).authorization !== access.authorization) break;
      if (Date.now() > end || access.expires === undefined) throw refused(access, answer.statusCode);
      await delay(1000);
    }
  }
}

/** A URL of the registry, as pods reach it. */
function reached({ url, host }: PodAccess, location: string): URL {
  const base = new URL(url ?? "");
  const target = new URL(location, base);
  return target.host === host ? new URL(`${target.pathname}${target.search}`, base) : target;
}

async function send(access: PodAccess, url: URL, { method, headers, body }: Question): Promise<IncomingMessage> {
  // Loading them takes longer than all the rest of a worker.
  const { request } = await (url.protocol === "https:" ? import("node:https") : import("node:http"));
  return new Promise((resolve, reject) => {
    // If a registry keeps blobs elsewhere, that place must not get the token.
    const isOwn = url.origin === new URL(access.url ?? "").origin;
    const { ca, authorization, host } = access;
    const own = { ...(authorization === undefined ? {} : { authorization }), ...(host === undefined ? {} : { host }) };
    const all = { ...headers, ...(isOwn ? own : {}) };
    const options = { method, headers: all, agent: false as const, timeout: patience, ...(ca && { ca: [...ca] }) };
    const take = (answer: IncomingMessage) => {
      const { statusCode = 0 } = answer;
      const { location } = answer.headers;
      if (method === "GET" && statusCode >= 301 && statusCode <= 308 && location !== undefined) {
        answer.resume();
        send(access, reached(access, new URL(location, url).href), { method, ...(headers ? { headers } : {}) }).then(
          resolve,
          reject,
        );
      } else resolve(answer);
    };
    const outgoing = request(url, options, take);
    outgoing.once("timeout", () => outgoing.destroy(new Error(`${url.host} did not answer for ${patience / 1000} s`)));
    outgoing.once("error", reject);
    if (body === undefined) outgoing.end();
    // A failure here also ends the request with an error.
    else pipeline(body(), outgoing).catch(reject);
  });
}

function refusal(answer: IncomingMessage): Error {
  answer.resume();
  return new Error(`the registry answered ${answer.statusCode}`);
}

function refused({ url = "" }: PodAccess, status: number | undefined): Failure {
  const { host, pathname } = new URL(url);
  return new Failure(
    { code: "registry-login", culprit: host },
    `${host} refused what pods were given for ${pathname.replace(/^\/v2\/|\/$/g, "")} (${status}).`,
    "Check that your credential may push to the repository, or name one for pods in `filesCredential`.",
  );
}

function lost(digest: string): Failure {
  return new Failure(
    { code: "content-lost", culprit: digest },
    `The registry no longer has the content ${digest} of a function's file.`,
    "Call the function that made it again.",
  );
}
