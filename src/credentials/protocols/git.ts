import type { Environment } from "../../core/environment.ts";
import { exitStatusOf, reportOf } from "../../core/errors.ts";
import { isRegistry } from "../../oci/registry-host.ts";
import { type CredentialSearch, isSendable } from "../credential.ts";
import { findPassword } from "../find-remote.ts";
import { matchLength, parseServiceUrl, type ServiceUrl } from "../service-url.ts";
import type { Entry } from "../source.ts";
import { fixedSource, type HelperAnswer, type HelperCall, readInput, unknownAction } from "./helper.ts";

const program = "git-credential-slipway";
const nothing: HelperAnswer = { stdout: "" };

type Attributes = Readonly<Record<string, string>>;

/** `get`, `store`, `erase`; ignores others, as git requires. Git must not prompt after a source that cannot be read. */
export async function gitHelper({ args, stdin, env }: HelperCall): Promise<HelperAnswer> {
  const [action] = args;
  if (action === undefined) throw unknownAction(program, action, ["get", "store", "erase"]);
  if (action !== "get" && action !== "store" && action !== "erase") return nothing;
  const asked = parseAttributes(await readInput(stdin));
  const url = urlOf(asked);
  if (!url) return nothing;
  if (action === "get") return get(asked, url, env);
  if (action === "store") await store(asked, url, env);
  else await erase(asked, url, env);
  return nothing;
}

function parseAttributes(text: string): Attributes {
  const attributes: Record<string, string> = Object.create(null);
  for (const line of text.split("\n")) {
    const equals = line.indexOf("=");
    if (equals > 0) attributes[line.slice(0, equals)] = line.slice(equals + 1);
  }
  return attributes;
}

/** Undefined: no passwords here. Git has decoded the host: a user or a path in it would make it another one. */
function urlOf({ protocol, host, path = "" }: Attributes): ServiceUrl | undefined {
  if ((protocol !== "https" && protocol !== "http") || !isRegistry(host ?? "")) return undefined;
  return parseServiceUrl("git", `${protocol}://${host}/${path.replace(/[\s?#]/g, encodeURIComponent)}`);
}

async function get(asked: Attributes, url: ServiceUrl, env: Environment): Promise<HelperAnswer> {
  let found: CredentialSearch;
  try {
    found = await findPassword(url, ["git"], env);
  } catch (error) {
    return { stdout: "quit=1\n", stderr: `${reportOf(error)}\n`, status: exitStatusOf(error) };
  }
  const { credential } = found;
  if (credential?.kind !== "password") return nothing;
  const { username, password } = credential;
  if (asked["username"] !== undefined && asked["username"] !== username) return nothing;
  return { stdout: `username=${username}\npassword=${password}\n` };
}

async function store(asked: Attributes, url: ServiceUrl, env: Environment): Promise<void> {
  const { username, password } = asked;
  if (!username || !password || !isSendable({ username, password })) return;
  // Git reports working credentials to every helper, also to the one that returned them.
  const { credential } = await findPassword(url, ["git"], env);
  if (credential?.kind === "password" && credential.username === username && credential.password === password) return;
  const { editStore, withEntry } = await import("../store-edit.ts");
  const entry: Entry = { service: "git", url: textOf(url), source: { kind: "stored", username, password } };
  await editStore(env, (entries) => {
    const fixed = entries.find((each) => isSame(each, url) && each.source.kind !== "stored");
    if (fixed) throw fixedSource(fixed);
    return withEntry(entries, entry);
  });
}

/** Only for stored passwords; other sources are not ours to change. */
async function erase(asked: Attributes, url: ServiceUrl, env: Environment): Promise<void> {
  const { editStore } = await import("../store-edit.ts");
  const { username, password } = asked;
  const isWrong = (entry: Entry) =>
    isSame(entry, url) &&
    entry.source.kind === "stored" &&
    (username === undefined || entry.source.username === username) &&
    (password === undefined || entry.source.password === password);
  await editStore(env, (entries) => (entries.some(isWrong) ? entries.filter((entry) => !isWrong(entry)) : entries));
}

function isSame(entry: Entry, url: ServiceUrl): boolean {
  if (entry.service !== "git") return false;
  const own = parseServiceUrl("git", entry.url);
  return own.path === url.path && matchLength(own, url) !== undefined;
}

function textOf({ scheme, host, port, path }: ServiceUrl): string {
  return `${scheme}://${host}${port === undefined ? "" : `:${port}`}${path === "" ? "" : `/${path}`}`;
}
