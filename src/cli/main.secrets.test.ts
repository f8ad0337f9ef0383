import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "../core/testdata/folder.ts";
import { FakeRegistry, type Intervention } from "../registry/client/testdata/fake-registry.ts";
import { StoredImages } from "../registry/client/testdata/stored-images.ts";
import { run } from "./testdata/slipway.ts";

const password = "ein-sehr-geheimes-wort";
const token = "ein-ausgestelltes-zeichen";
/** Planted, and in the forms that headers have. */
const secrets = [password, token].flatMap((each) => [
  each,
  ...["", "u:"].map((user) =>
    Buffer.from(user + each)
      .toString("base64")
      .replace(/=+$/, ""),
  ),
]);

/** Not `http`, `https` and `net`: Node shows headers for these, and SECURITY.md says so. */
const debugged = "tls,dns,fs,child_process,stream,timer,undici,fetch,esm,module,worker";

/** Gives a token for the password only, and nothing without the token. It answers errors with what it was sent. */
function guard(registry: FakeRegistry): Intervention {
  return (request, response) => {
    const { authorization = "" } = request.headers;
    const answer = (status: number, body: unknown, headers = {}) => {
      request.resume();
      response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
      return true;
    };
    if (request.url?.startsWith("/token")) {
      const isUser = authorization === `Basic ${Buffer.from(`u:${password}`).toString("base64")}`;
      return isUser ? answer(200, { token }) : answer(403, { errors: [{ code: "DENIED", message: authorization }] });
    }
    const challenge = `Bearer realm="${registry.url}/token",service="s"`;
    if (authorization !== `Bearer ${token}`) return answer(401, {}, { "www-authenticate": challenge });
    if (!request.url?.includes("/broken")) return false;
    return answer(400, { errors: [{ code: "UNSUPPORTED", message: `you sent ${authorization}` }] });
  };
}

function textsIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [readFileSync(join(entry.parentPath, entry.name), "latin1")] : [],
  );
}

it.each([
  ["usual", {}],
  ["most verbose", { NODE_DEBUG: debugged, DEBUG: "*" }],
])("no secret is in the %s output of commands, or in a file that they write", async (_, verbose) => {
  const registry = await FakeRegistry.start();
  onTestFinished(() => registry.stop());
  new StoredImages(registry, "team/app").image({ tag: "v1" });
  registry.intervene = guard(registry);
  const home = temporaryFolder();
  const logins = temporaryFolder();
  const auth = Buffer.from(`u:${password}`).toString("base64");
  writeFileSync(join(logins, "config.json"), JSON.stringify({ auths: { [registry.host]: { auth } } }));
  mkdirSync(join(home, "tmp"));
  const env = {
    ...{ HOME: home, TMPDIR: join(home, "tmp"), DOCKER_CONFIG: logins },
    ...{ XDG_STATE_HOME: join(home, "state"), XDG_CACHE_HOME: join(home, "cache") },
    ...verbose,
  };
  const image = `${registry.host}/team/app:v1`;
  const commands = [
    ["image", "inspect", image],
    ["image", "ls", `${registry.host}/team/app`],
    ["image", "referrers", image],
    ["image", "inspect", `${registry.host}/team/broken:v1`],
    ["image", "copy", image, `${registry.host}/team/broken:v1`],
    ["image", "rm", `${registry.host}/team/broken:v1`],
    ["results", "ls", `${registry.host}/team/app`],
    ["credentials", "explain", image],
    ["credentials", "test"],
    ["credentials", "list"],
  ];
  const outcomes = await Promise.all(commands.map((words) => run(words, { env })));
  expect(outcomes[0]).toMatchObject({ status: 0 });
  expect(registry.seen.some(({ authorization }) => authorization === `Bearer ${token}`)).toBe(true);
  const texts = [...outcomes.map(({ out, error }) => out + error), ...textsIn(home)];
  const leaks = secrets.flatMap((secret) =>
    texts.flatMap((text, index) =>
      text.includes(secret) ? [[commands[index]?.join(" ") ?? "a file", around(text, secret)]] : [],
    ),
  );
  expect(leaks).toEqual([]);
});

function around(text: string, secret: string): string {
  const at = text.indexOf(secret);
  return text.slice(Math.max(0, at - 200), at + secret.length + 20);
}
