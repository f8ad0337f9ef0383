import { isRecord } from "../core/is-record.ts";
import { dockerHub, normalizeRegistry } from "../oci/registry-host.ts";
import type { Credential } from "./credential.ts";

export type ConfigAnswer =
  | { readonly kind: "credential"; readonly key: string; readonly credential: Credential }
  /** `server`: the server name to pass to the helper. */
  | { readonly kind: "helper"; readonly key: string; readonly helper: string; readonly server: string };

export interface ConfigAnswers {
  /** To try in this order. */
  readonly answers: readonly ConfigAnswer[];
  readonly headers: Readonly<Record<string, string>>;
}

export interface Target {
  /** `host[:port]`. Docker Hub may have any of its names. */
  readonly registry: string;
  readonly repository?: string | undefined;
}

/** Docker's key for Docker Hub. */
const dockerHubServer = "https://index.docker.io/v1/";

/**
 * Docker's `config.json` or containers' `auth.json`. The longest entry wins, on path boundaries; `credHelpers` win over
 * `credsStore`, and that over credentials in the file.
 *
 * @throws Error with the problem, never the file's content
 */
export function lookUp(text: string, target: Target): ConfigAnswers {
  const config = parse(text);
  const headers = readHeaders(config.HttpHeaders);
  const helper = longestMatch(config.credHelpers, target);
  if (helper) {
    const { key, value } = helper;
    return { answers: [{ kind: "helper", key, helper: helperName(value), server: serverName(key, target) }], headers };
  }
  const answers: ConfigAnswer[] = [];
  const entry = longestMatch(config.auths, target);
  if (config.credsStore !== undefined && config.credsStore !== null && config.credsStore !== "") {
    answers.push({
      kind: "helper",
      key: "credsStore",
      helper: helperName(config.credsStore),
      server: entry?.key ?? serverName(target.registry, target),
    });
  }
  const credential = entry && readEntry(entry.key, entry.value);
  if (credential) answers.push({ kind: "credential", key: entry.key, credential });
  return { answers, headers };
}

interface Config {
  readonly auths?: Record<string, unknown>;
  readonly credHelpers?: Record<string, unknown>;
  readonly credsStore?: unknown;
  readonly HttpHeaders?: unknown;
}

function parse(text: string): Config {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message would quote the file, which contains secrets.
    throw new Error("it is not JSON");
  }
  if (!isRecord(value)) throw new Error("it is not a JSON object");
  for (const key of ["auths", "credHelpers"]) {
    if (value[key] !== undefined && value[key] !== null && !isRecord(value[key]))
      throw new Error(`${key} is not an object`);
  }
  return value as Config;
}

function longestMatch(
  entries: Record<string, unknown> | undefined | null,
  target: Target,
): { key: string; value: unknown } | undefined {
  let best: { key: string; value: unknown; length: number } | undefined;
  for (const [key, value] of Object.entries(entries ?? {})) {
    const length = matchLength(key, target);
    if (length !== undefined && (!best || length > best.length)) best = { key, value, length };
  }
  return best;
}

/** Undefined: no match. */
function matchLength(key: string, target: Target): number | undefined {
  const { registry, repository: path } = splitServer(key);
  if (normalizeRegistry(registry) !== normalizeRegistry(target.registry)) return undefined;
  if (path === "") return 0;
  const repository = target.repository ?? "";
  return repository === path || repository.startsWith(`${path}/`) ? path.length : undefined;
}

/** With or without https:// and a path. Docker's helper protocol names servers the same way. */
export function splitServer(key: string): { readonly registry: string; readonly repository: string } {
  const bare = key.replace(/^https?:\/\//, "").replace(/\/+$/, "");
  const slash = bare.indexOf("/");
  const registry = slash < 0 ? bare : bare.slice(0, slash);
  const path = slash < 0 ? "" : bare.slice(slash + 1);
  // Docker's old keys end with the API version.
  return { registry, repository: path === "v1" || path === "v2" ? "" : path };
}

function serverName(key: string, target: Target): string {
  return normalizeRegistry(target.registry) === dockerHub ? dockerHubServer : key;
}

/** It becomes part of a program's name, so only letters, digits, dots, dashes and underscores are allowed. */
function helperName(value: unknown): string {
  if (typeof value !== "string" || !/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(value)) {
    throw new Error("the name of a credential helper in it is not a program's name");
  }
  return value;
}

function readEntry(key: string, value: unknown): Credential | undefined {
  const name = JSON.stringify(key);
  if (!isRecord(value)) throw new Error(`its entry for ${name} is not an object`);
  const { identitytoken, registrytoken, auth, username, password } = value;
  if (isText(identitytoken)) return { kind: "identity-token", token: identitytoken };
  if (isText(registrytoken)) {
    return { kind: "registry-token", token: sendable(registrytoken, `the registrytoken for ${name}`) };
  }
  if (isText(auth)) {
    // Docker pads with NULs.
    const decoded = Buffer.from(auth, "base64").toString("utf8").replace(/\0+$/, "");
    const colon = decoded.indexOf(":");
    if (colon < 1) throw new Error(`its entry for ${name} is not the base64 of USER:PASSWORD`);
    if (/\p{Cc}/u.test(decoded)) throw new Error(`its entry for ${name} has a control character in it`);
    return passwordOrToken(decoded.slice(0, colon), decoded.slice(colon + 1));
  }
  return isText(username) && typeof password === "string" ? passwordOrToken(username, password) : undefined;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

/** Docker marks an identity token by this user name. */
export function passwordOrToken(username: string, password: string): Exclude<Credential, { kind: "registry-token" }> {
  return username === "<token>"
    ? { kind: "identity-token", token: password }
    : { kind: "password", username, password };
}

/** These define the request or its sender. Docker ignores them too. */
const ownFields =
  /^(authorization|host|connection|content-.*|transfer-encoding|proxy-.*|expect|range|te|trailer|upgrade|cookie)$/i;

function readHeaders(value: unknown): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (!isRecord(value)) throw new Error("HttpHeaders is not an object");
  const headers: Record<string, string> = {};
  for (const [name, field] of Object.entries(value)) {
    checkFieldName(name, "HttpHeaders");
    if (ownFields.test(name)) continue;
    if (typeof field !== "string") throw new Error(`${name} in HttpHeaders is not a string`);
    headers[name.toLowerCase()] = sendable(field, `${name} in HttpHeaders`);
  }
  return headers;
}

/** @throws Error without the name, which may be anything */
export function checkFieldName(name: string, where: string): void {
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) throw new Error(`a name in ${where} is not a valid name`);
}

/** Refuses invalid header values early: a later error would quote them. */
export function sendable(text: string, what: string): string {
  if (!/^[\x20-\x7e]*$/.test(text)) throw new Error(`${what} has characters that no header field takes`);
  return text;
}
