import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { runGit } from "./command.ts";

/** A package of its own on some machines. */
const hasHttps = existsSync(`${execFileSync("git", ["--exec-path"], { encoding: "utf8" }).trim()}/git-remote-https`);

it.skipIf(!hasHttps)("ends at once with all that it started, though a server does not answer", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const url = `https://127.0.0.1:${port}/a.git`;
  const over = new AbortController();
  const connection = once(server, "connection") as Promise<[Socket]>;
  const ended = runGit({ args: ["ls-remote", url], server: url }, { env: process.env, signal: over.signal });
  const [socket] = await connection;
  const left = once(socket.on("error", () => {}).resume(), "close");
  over.abort(new Error("given up"));
  await expect(ended).rejects.toThrow("given up");
  await left;
});
