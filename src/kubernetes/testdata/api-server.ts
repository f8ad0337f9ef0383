import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { onTestFinished } from "vitest";
import { listen } from "../../registry/client/testdata/listen.ts";

type Request = IncomingMessage & { readonly url: string };

/**
 * An API server of a test's own, which answers as the test says, until it ends.
 *
 * @param upgrade gets the connections of those who want a web socket
 * @returns the environment that leads to it
 */
export async function apiServer(
  answer: (request: Request, response: ServerResponse) => void,
  upgrade?: (request: Request, socket: Duplex) => void,
): Promise<Record<string, string>> {
  const server = createServer((request, response) => answer(Object.assign(request, { url: request.url ?? "" }), response));
  if (upgrade) {
    server.on("upgrade", (request, socket) => upgrade(Object.assign(request, { url: request.url ?? "" }), socket));
  }
  const url = `http://127.0.0.1:${await listen(server)}`;
  const folder = mkdtempSync(join(tmpdir(), "api-server-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "kubeconfig"), kubeconfigOf(url, "test", {}));
  return { HOME: folder, KUBECONFIG: join(folder, "kubeconfig"), PATH: process.env["PATH"] ?? "" };
}

/** The answer to a list. */
export function list(items: readonly object[]): string {
  return JSON.stringify({ metadata: { resourceVersion: "1" }, items });
}

/** An answer that refuses. */
export function refuse(response: ServerResponse, code: number, headers: Record<string, string> = {}): void {
  response.writeHead(code, headers).end(JSON.stringify({ kind: "Status", code, message: "not now" }));
}

/** A kubeconfig with one context, of the user `tester`. The way to the server need not be encrypted. */
export function kubeconfigOf(server: string, context: string, user: object): string {
  return JSON.stringify({
    clusters: [{ name: "c", cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name: "tester", user }],
    contexts: [{ name: context, context: { cluster: "c", user: "tester" } }],
    "current-context": context,
  });
}

/** A web socket, as far as messages of bytes go (RFC 6455). */
export interface TestSocket {
  send(channel: number, data: Buffer): void;
  close(): void;
}

/** Accepts a web socket. @param onMessage told the number of a channel and what came on it */
export function acceptSocket(
  request: IncomingMessage,
  socket: Duplex,
  onMessage: (channel: number, data: Buffer) => void,
): TestSocket {
  const key = `${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  const accept = createHash("sha1").update(key).digest("base64");
  const lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
  lines.push(`Sec-WebSocket-Accept: ${accept}`, "Sec-WebSocket-Protocol: v4.channel.k8s.io", "", "");
  socket.on("error", () => {}).write(lines.join("\r\n"));
  let rest = Buffer.alloc(0);
  socket.on("data", (data: Buffer) => {
    rest = Buffer.concat([rest, data]);
    for (;;) {
      const size = (rest[1] ?? 0) & 127;
      const start = 2 + (size === 127 ? 8 : size === 126 ? 2 : 0);
      if (rest.length < start + 4) return;
      const length = size === 127 ? Number(rest.readBigUInt64BE(2)) : size === 126 ? rest.readUInt16BE(2) : size;
      if (rest.length < start + 4 + length) return;
      const mask = rest.subarray(start, start + 4);
      const message = Buffer.from(rest.subarray(start + 4, start + 4 + length));
      for (let index = 0; index < length; index += 1) message[index] = (message[index] ?? 0) ^ (mask[index % 4] ?? 0);
      if (((rest[0] ?? 0) & 15) === 8) socket.end();
      else onMessage(message[0] ?? 0, message.subarray(1));
      rest = rest.subarray(start + 4 + length);
    }
  });
  return {
    send: (channel, data) => {
      const head = Buffer.alloc(10);
      head.set([0x82, 127]);
      head.writeBigUInt64BE(BigInt(data.length + 1), 2);
      socket.write(Buffer.concat([head, Buffer.of(channel), data]));
    },
    close: () => socket.end(Buffer.of(0x88, 0)),
  };
}
