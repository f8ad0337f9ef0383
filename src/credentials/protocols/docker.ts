import type { Environment } from "../../core/environment.ts";
import { canonicalRegistry, dockerHub } from "../../oci/registry-host.ts";
import type { Credential } from "../credential.ts";
import { passwordOrToken, splitServer, type Target } from "../docker-config.ts";
import { findCredential } from "../find.ts";
import { parseServiceUrl } from "../service-url.ts";
import { type Entry, readCredential, type Source } from "../source.ts";
import { readStore } from "../store.ts";
import { badInput, fixedSource, type HelperAnswer, type HelperCall, readInput, unknownAction } from "./helper.ts";

const program = "docker-credential-slipway";

/** As the protocol defines it. */
const notFound: HelperAnswer = { stdout: "credentials not found in native keychain\n", status: 1 };

/** `get`, `list`, `store`, `erase`. Errors go to stdout, where callers look for them. */
export async function dockerHelper({ args, stdin, env }: HelperCall): Promise<HelperAnswer> {
  const [action] = args;
  switch (action) {
    case "get":
      return get((await readInput(stdin)).trim(), env);
    case "list":
      return { stdout: `${JSON.stringify(await list(env))}\n` };
    case "store":
      await store(await readInput(stdin), env);
      return { stdout: "" };
    case "erase":
      return erase((await readInput(stdin)).trim(), env);
    default:
      throw unknownAction(program, action, ["get", "list", "store", "erase"]);
  }
}

async function get(server: string, env: Environment): Promise<HelperAnswer> {
  const target = targetOf(server);
  if (!target) return notFound;
  const { credential, problems } = await findCredential(target, env);
  if (!credential || credential.kind === "registry-token") {
    return problems.length === 0 ? notFound : { ...notFound, stderr: `${problems.join("\n")}\n` };
  }
  const [username, secret] =
    credential.kind === "password" ? [credential.username, credential.password] : ["<token>", credential.token];
  return { stdout: `${JSON.stringify({ ServerURL: server, Username: username, Secret: secret })}\n` };
}

/** Undefined: no registry has that name, so no other helper is asked for it. */
function targetOf(server: string): Target | undefined {
  if (server === "") throw badInput(`${program} got no server on stdin.`);
  const { registry: name, repository } = splitServer(server);
  const registry = canonicalRegistry(name);
  return registry === undefined ? undefined : { registry, ...(repository === "" ? {} : { repository }) };
}

/** With user names, as far as these are known without a request. */
async function list(env: Environment): Promise<Record<string, string>> {
  const entries = (await readStore(env)).filter(({ service }) => service === "docker");
  const servers = entries.map(async (entry) => [serverOf(entry), await usernameOf(entry, env)] as const);
  return Object.fromEntries(await Promise.all(servers));
}

function serverOf({ url }: Entry): string {
  const { host, port, path } = parseServiceUrl("docker", url);
  if (host === dockerHub && path === "") return "https://index.docker.io/v1/";
  return `${host}${port === undefined ? "" : `:${port}`}${path === "" ? "" : `/${path}`}`;
}

async function usernameOf(entry: Entry, env: Environment): Promise<string> {
  const { source } = entry;
  if (source.kind === "stored-token") return "<token>";
  if ("username" in source) return source.username;
  if (source.kind !== "file") return "";
  // `get` reports its error.
  const credential = await readCredential(entry, env).catch(() => undefined);
  return credential?.kind === "password" ? credential.username : "";
}

async function store(text: string, env: Environment): Promise<void> {
  const { server, credential } = readStoreRequest(text);
  const existing = await keptFor(server, env);
  for (const entry of existing.filter(({ source }) => !source.kind.startsWith("stored"))) {
    // `docker login` stores a credential that it got from here.
    const held = await readCredential(entry, env);
    if (JSON.stringify(held) === JSON.stringify(credential)) return;
    throw fixedSource(entry);
  }
  const source: Source =
    credential.kind === "password"
      ? { kind: "stored", username: credential.username, password: credential.password }
      : { kind: "stored-token", token: credential.token };
  const { editStore, withEntry } = await import("../store-edit.ts");
  const [name] = existing.flatMap((entry) => (entry.name === undefined ? [] : [entry.name]));
  const url = server === "https://index.docker.io/v1/" ? "docker.io" : server.replace(/^https?:\/\//, "");
  const entry: Entry = { ...(name === undefined ? {} : { name }), service: "docker", url, source };
  parseServiceUrl("docker", entry.url);
  await editStore(env, (entries) => withEntry(entries, entry));
}

function readStoreRequest(text: string): {
  server: string;
  credential: Exclude<Credential, { kind: "registry-token" }>;
} {
  let value: Record<string, unknown> | null = null;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message would quote the secret.
  }
  const { ServerURL: server, Username: username, Secret: secret } = value ?? {};
  if (typeof server !== "string" || typeof username !== "string" || typeof secret !== "string" || server === "") {
    throw badInput(`${program} store got no JSON with ServerURL, Username and Secret on stdin.`);
  }
  return { server, credential: passwordOrToken(username, secret) };
}

async function erase(server: string, env: Environment): Promise<HelperAnswer> {
  const existing = await keptFor(server, env);
  const fixed = existing.find(({ source }) => !source.kind.startsWith("stored"));
  if (fixed) throw fixedSource(fixed);
  if (existing.length === 0) return notFound;
  const { editStore } = await import("../store-edit.ts");
  const gone = existing.map((entry) => JSON.stringify(entry));
  await editStore(env, (entries) => entries.filter((entry) => !gone.includes(JSON.stringify(entry))));
  return { stdout: "" };
}

/** For exactly this server, not for a part of it. */
async function keptFor(server: string, env: Environment): Promise<Entry[]> {
  const wanted = JSON.stringify(parseServiceUrl("docker", server));
  return (await readStore(env)).filter(
    ({ service, url }) => service === "docker" && JSON.stringify(parseServiceUrl("docker", url)) === wanted,
  );
}
