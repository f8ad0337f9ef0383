import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { sha256 } from "../../oci/digest.ts";
import type { BlobId } from "../store.ts";

/** A fault of one read, after `after` bytes of it. */
export type Fault = Readonly<{ after: number; how: "cut" | "end" | "more" | "damage" | "hang" | "refuse" | "fail" | "range" }>;

/** A cache in this process that speaks HTTP, or gRPC (fake-grpc-cache.ts), and misbehaves when it is told to. */
export interface FakeCache {
  readonly address: string;
  readonly host: string;
  /** Faults of the next reads, in order. */
  readonly faults: Fault[];
  /** `METHOD HEX offset` of each request. */
  readonly log: string[];
  /** Header fields of each request. */
  readonly headers: Readonly<Record<string, unknown>>[];
  /** Answers without ranges (HTTP). */
  ignoresRanges: boolean;
  digestFunctions: number[];
  add(content: Uint8Array): BlobId;
  remove(blob: BlobId): void;
  stop(): Promise<void>;
}

export class State {
  readonly blobs = new Map<string, Buffer>();
  readonly faults: Fault[] = [];
  readonly log: string[] = [];
  readonly headers: Readonly<Record<string, unknown>>[] = [];
  ignoresRanges = false;
  digestFunctions = [1];

  add(content: Uint8Array): BlobId {
    const digest = sha256(content);
    this.blobs.set(digest.slice(7), Buffer.from(content));
    return { digest, size: content.length };
  }

  remove({ digest }: BlobId): void {
    this.blobs.delete(digest.slice(7));
  }

  /** The bytes of a read, and what follows them. */
  play(content: Buffer): { bytes: Buffer; how?: Fault["how"] } {
    const fault = this.faults.shift();
    if (!fault) return { bytes: content };
    const bytes = Buffer.from(content);
    if (fault.how === "damage") {
      bytes[fault.after] = (bytes[fault.after] as number) ^ 1;
      return { bytes };
    }
    if (fault.how === "more") return { bytes: Buffer.concat([bytes, Buffer.alloc(fault.after + 1)]) };
    return { bytes: bytes.subarray(0, fault.after), how: fault.how };
  }
}

/** @returns a running cache; stop it in the end */
export async function fakeHttpCache(): Promise<FakeCache> {
  const state = new State();
  const server = createServer((request, response) => answerHttp(state, request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(state, {
    address: `http://${host}/team`,
    host,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

function answerHttp(state: State, request: IncomingMessage, response: ServerResponse): void {
  const hex = request.url?.replace("/team/cas/", "") ?? "";
  const content = state.blobs.get(hex);
  const from = state.ignoresRanges ? 0 : Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
  state.log.push(`${request.method} ${hex} ${from}`);
  state.headers.push(request.headers);
  if (!content) return void response.writeHead(404).end();
  if (request.method === "HEAD") return void response.writeHead(200, { "content-length": content.length }).end();
  const { bytes, how } = state.play(content.subarray(from));
  if (how === "fail") return void response.writeHead(503).end();
  if (how === "refuse") return void response.writeHead(401).end();
  if (how === "range") return void response.writeHead(206, { "content-range": `bytes ${from + 1}-9/9` }).end(bytes);
  const range = from > 0 ? { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` } : {};
  response.writeHead(from > 0 ? 206 : 200, range);
  response.write(bytes, () => {
    if (how === "cut") response.destroy();
    else if (how !== "hang") response.end();
  });
}
