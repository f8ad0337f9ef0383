import { execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { type AddressInfo, isIP } from "node:net";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { folderOfTest, git, repositoryOfTest } from "./git-repository.ts";

/**
 * A git server over HTTPS with a certificate of its own, which serves the repositories in a folder to those who
 * know the password.
 */
export interface GitServer {
  /** `https://ADDRESS:PORT` */
  readonly url: string;
  /** Path of the certificate that clients must trust. */
  readonly certificate: string;
  /** Method, path and whether a password came, of every request. */
  readonly requests: readonly string[];
}

/**
 * @param options `password`: of the user `me` or `username`, none where it is left out; `wanted`: the beginning of
 * paths for which it is wanted. Default: all; `version`: of git's protocol; 0 gives commits by the names
 *   of references alone; `address`: of this machine's own, where others than this machine reach it. Default: localhost
 */
export async function gitServerOfTest(
  folder: string,
  options: {
    readonly username?: string;
    readonly password?: string;
    readonly wanted?: string;
    readonly version?: 0 | 2;
    readonly address?: string;
  } = {},
): Promise<GitServer> {
  const keys = folderOfTest();
  const [key, certificate] = [join(keys, "key.pem"), join(keys, "certificate.pem")];
  const { address = "localhost" } = options;
  const name = isIP(address) === 0 ? "DNS" : "IP";
  const subject = ["-subj", `/CN=${address}`, "-addext", `subjectAltName=${name}:${address}`];
  execFileSync(
    "openssl",
    ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-keyout", key, "-out", certificate, ...subject],
    { stdio: "pipe" },
  );
  const requests: string[] = [];
  const expected = `Basic ${btoa(`${options.username ?? "me"}:${options.password}`)}`;
  const server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (request, response) => {
    const { authorization } = request.headers;
    const url = new URL(request.url ?? "/", "https://localhost");
    requests.push(`${request.method} ${url.pathname}${authorization === undefined ? "" : " with a password"}`);
    const isWanted = options.password !== undefined && url.pathname.startsWith(options.wanted ?? "/");
    if (isWanted && authorization !== expected) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="test"' }).end();
      return;
    }
    const backend = spawn("git", ["http-backend"], {
      env: {
        PATH: process.env["PATH"],
        GIT_PROJECT_ROOT: folder,
        GIT_HTTP_EXPORT_ALL: "1",
        GIT_CONFIG_NOSYSTEM: "1",
        REQUEST_METHOD: request.method,
        PATH_INFO: url.pathname,
        QUERY_STRING: url.search.slice(1),
        CONTENT_TYPE: request.headers["content-type"] ?? "",
        ...(request.headers["content-encoding"] ? { HTTP_CONTENT_ENCODING: request.headers["content-encoding"] } : {}),
        ...(options.version === 0 ? {} : { GIT_PROTOCOL: String(request.headers["git-protocol"] ?? "") }),
      },
      stdio: ["pipe", "pipe", "ignore"],
    });
    request.pipe(backend.stdin);
    backend.stdin.on("error", () => {});
    const chunks: Buffer[] = [];
    backend.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    backend.on("close", () => {
      const answer = Buffer.concat(chunks);
      const end = answer.indexOf("\r\n\r\n");
      const fields = answer.subarray(0, end).toString().split("\r\n").map((line) => line.split(": ", 2) as [string, string]);
      const status = Number(fields.find(([name]) => name === "Status")?.[1]?.slice(0, 3) ?? 200);
      response.writeHead(status, Object.fromEntries(fields.filter(([name]) => name !== "Status")));
      response.end(answer.subarray(end + 4));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  onTestFinished(() => new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  }));
  return { url: `https://${address}:${(server.address() as AddressInfo).port}`, certificate, requests };
}

/** A repository behind a server. */
export async function servedRepository(options: Parameters<typeof gitServerOfTest>[1] = {}) {
  const root = folderOfTest();
  git(root, "init", "--quiet", "app.git");
  const repository = repositoryOfTest(join(root, "app.git"));
  const server = await gitServerOfTest(root, options);
  return { repository, server, url: `${server.url}/app.git/.git` };
}
