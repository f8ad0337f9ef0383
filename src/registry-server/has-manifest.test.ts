import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { sha256 } from "../oci/digest.ts";
import { hasManifest } from "./has-manifest.ts";

const digest = sha256(Buffer.from("manifest"));
const named = `Docker-Content-Digest: ${digest}`;

/** A server that answers every request with these pieces, one after the other, and what it was asked. */
async function answering(pieces: readonly string[], ends = true): Promise<{ socket: string; asked: () => string }> {
  const folder = mkdtempSync(join(tmpdir(), "asked-"));
  let asked = "";
  const server = createServer((connection) => {
    connection.on("error", () => {});
    connection.on("data", async (chunk) => {
      asked += chunk;
      for (const piece of pieces) await new Promise((resolve) => connection.write(piece, resolve));
      if (ends) connection.end();
    });
  });
  const socket = join(folder, "socket");
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  onTestFinished(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  return { socket, asked: () => asked };
}

it.each([
  ["has it", [`HTTP/1.1 200 OK\r\n${named}\r\n\r\n`], true],
  ["has it, told in pieces", ["HTTP/1.1 2", `00 OK\r\nA: b\r\n${named}`, "\r\n\r", "\n"], true],
  ["lacks it", ["HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"], false],
  ["has something else", [`HTTP/1.1 200 OK\r\n${named.replaceAll(/.$/g, "_")}\r\n\r\n`], undefined],
  ["names no digest", ["HTTP/1.1 200 OK\r\n\r\n"], undefined],
  ["refuses", [`HTTP/1.1 401 Unauthorized\r\n${named}\r\n\r\n`], undefined],
  ["speaks something else", ["SSH-2.0-x\r\n\r\n"], undefined],
  ["never ends its headers", ["x".repeat(20_000)], undefined],
  ["hangs up in the middle", [`HTTP/1.1 200 OK\r\n${named}`], undefined],
  ["says nothing", [], undefined],
] as const)("tells of a registry that %s", async (_name, pieces, expected) => {
  const { socket, asked } = await answering(pieces);
  expect(await hasManifest(socket, "team/app", digest)).toBe(expected);
  expect(asked()).toMatch(new RegExp(`^HEAD /v2/team/app/manifests/${digest} HTTP/1.1\r\n`));
});

it("does not wait for a registry that does not answer, or is not there", async () => {
  const { socket } = await answering([], false);
  expect(await hasManifest(socket, "team/app", digest, 10)).toBe(undefined);
  expect(await hasManifest(`${socket}.absent`, "team/app", digest)).toBe(undefined);
});
