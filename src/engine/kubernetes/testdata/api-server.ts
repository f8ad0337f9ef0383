import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { listen } from "../../../registry/client/testdata/listen.ts";

/** An API server of a test's own, which answers as the test says, until it ends. @returns the environment that leads to it */
export async function apiServer(
  answer: (request: IncomingMessage & { readonly url: string }, response: ServerResponse) => void,
): Promise<Record<string, string>> {
  const server = createServer((request, response) => answer(Object.assign(request, { url: request.url ?? "" }), response));
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
