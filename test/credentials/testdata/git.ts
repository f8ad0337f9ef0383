import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { Installed } from "./installed.ts";

const identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"];

/** Makes a bare repository with one commit, a file `hello`. */
export function makeRepository(root: string, name: string, env: Record<string, string>): void {
  const git = (...args: string[]) => execFileSync("git", args, { env, stdio: ["ignore", "pipe", "ignore"] }).toString();
  const bare = join(root, name);
  git("init", "--quiet", "--bare", "--initial-branch=main", bare);
  const blob = execFileSync("git", ["-C", bare, "hash-object", "-w", "--stdin"], { env, input: `hello from ${name}\n` });
  const tree = execFileSync("git", ["-C", bare, "mktree"], { env, input: `100644 blob ${String(blob).trim()}\thello\n` });
  const commit = git("-C", bare, ...identity, "commit-tree", String(tree).trim(), "-m", "Say hello").trim();
  git("-C", bare, "update-ref", "refs/heads/main", commit);
  git("-C", bare, "config", "http.receivepack", "true");
}

/** Clones a repository, and gives what its one file says. */
export async function clone(user: Installed, url: string) {
  const copy = mkdtempSync(join(user.folder, "copy-"));
  const { status, stderr } = await user.run("git", ["clone", url, copy]);
  return { status, stderr, copy, hello: status === 0 ? readFileSync(join(copy, "hello"), "utf8") : undefined };
}

/**
 * Serves the repositories of a folder over HTTP, by git's own program, to one user. Stopped when the test file ends.
 *
 * @returns its URL, and who asked for what
 */
export async function serveGitHttp(
  root: string,
  login: { readonly username: string; readonly password: string },
): Promise<{ readonly url: string; readonly asked: string[] }> {
  const expected = `Basic ${Buffer.from(`${login.username}:${login.password}`).toString("base64")}`;
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const known = request.headers.authorization === expected;
    asked.push(`${known ? login.username : "somebody"} ${request.url}`);
    if (known) return serveByCgi(root, request, response);
    request.resume();
    response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

/** RFC 3875, as much as `git http-backend` needs of it. */
function serveByCgi(root: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? "", "http://localhost");
  const child = spawn("git", ["http-backend"], {
    env: {
      PATH: process.env["PATH"],
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      REMOTE_USER: "u",
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  request.pipe(child.stdin);
  child.stdin.on("error", () => {});
  let head = Buffer.alloc(0);
  child.stdout.on("data", (chunk: Buffer) => {
    if (response.headersSent) return void response.write(chunk);
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    const fields = head.toString("latin1", 0, end).split("\r\n");
    const pairs = fields.map((field) => [field.slice(0, field.indexOf(":")), field.slice(field.indexOf(":") + 2)] as const);
    const status = pairs.find(([name]) => name === "Status")?.[1];
    response.writeHead(
      Number.parseInt(status ?? "200", 10),
      Object.fromEntries(pairs.filter(([name]) => name !== "Status")),
    );
    response.write(head.subarray(end + 4));
  });
  child.stdout.on("end", () => response.end());
}

/**
 * An SSH server that takes one key: OpenSSH's own, a process per connection. Stopped when the test file ends.
 *
 * @param folder where its configuration and keys are made
 * @returns its port and its line for known_hosts
 */
export async function serveSsh(
  folder: string,
  publicKey: string,
): Promise<{ readonly port: number; readonly knownHosts: string }> {
  const hostKey = join(folder, "host_key");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", hostKey]);
  writeFileSync(join(folder, "authorized_keys"), publicKey);
  // Only root has and needs it; Debian makes it when the service starts.
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  const config = join(folder, "sshd_config");
  writeFileSync(
    config,
    [
      `HostKey ${hostKey}`,
      `AuthorizedKeysFile ${join(folder, "authorized_keys")}`,
      "StrictModes no",
      "PasswordAuthentication no",
      "KbdInteractiveAuthentication no",
      "PermitRootLogin prohibit-password",
      // The login shell reads the start files of its HOME: those of this machine's user are no part of the test.
      `SetEnv HOME=${folder}`,
      "PermitUserRC no",
      "UsePAM no",
      "PidFile none",
      "",
    ].join("\n"),
  );
  const server = createTcpServer({ pauseOnConnect: true }, (socket) => {
    const child = spawn("/usr/sbin/sshd", ["-i", "-e", "-f", config], { stdio: [socket, socket, "ignore"] });
    child.once("close", () => socket.destroy());
    child.once("error", () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  afterAll(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const key = readFileSync(`${hostKey}.pub`, "utf8").split(" ").slice(0, 2).join(" ");
  return { port, knownHosts: `[127.0.0.1]:${port} ${key}\n` };
}
