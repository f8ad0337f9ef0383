import { dockerHub, normalizeRegistry } from "../oci/reference.ts";
import type { Credential } from "./credential.ts";

/** What a credential file says about one repository: the credential itself, or the helper to ask for it. */
export type ConfigAnswer =
  | { readonly kind: "credential"; readonly credential: Credential }
  /** `server`: the name under which the helper keeps it. */
  | { readonly kind: "helper"; readonly helper: string; readonly server: string };

/** What a registry is asked about. */
export interface Target {
  /** `host[:port]`, Docker Hub as `registry-1.docker.io`. */
  readonly registry: string;
  readonly repository?: string | undefined;
}

/** The name by which Docker has always kept the credential of Docker Hub. */
const dockerHubServer = "https://index.docker.io/v1/";

/**
 * Looks a target up in a Docker `config.json` or containers `auth.json`, whose shapes agree. Within a file the longest entry wins, on
 * a path boundary: `host/team` is for `host/team/app` and not for `host/teammate`. An entry of `credHelpers` wins over `credsStore`,
 * and that over what the file itself holds, as Docker has it.
 *
 * @param text the file's content
 * @throws Error that says what is wrong with the file, never what it holds
 */
export function lookUp(text: string, target: Target): ConfigAnswer | undefined {
  const config = parse(text);
  const helper = longestMatch(config.credHelpers, target);
  if (helper) {
    return { kind: "helper", helper: helperName(helper.value), server: serverName(helper.key, target) };
  }
  const entry = longestMatch(config.auths, target);
  const credential = entry && readEntry(entry.key, entry.value);
  if (credential) return { kind: "credential", credential };
  if (config.credsStore !== undefined && config.credsStore !== "") {
    return {
      kind: "helper",
      helper: helperName(config.credsStore),
      server: entry?.key ?? serverName(target.registry, target),
    };
  }
  return undefined;
}

interface Config {
  readonly auths?: Record<string, unknown>;
  readonly credHelpers?: Record<string, unknown>;
  readonly credsStore?: unknown;
}

function parse(text: string): Config {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message would quote the file, which holds secrets.
    throw new Error("it is not JSON");
  }
  if (!isObject(value)) throw new Error("it is not a JSON object");
  for (const key of ["auths", "credHelpers"]) {
    if (value[key] !== undefined && value[key] !== null && !isObject(value[key]))
      throw new Error(`${key} is no object`);
  }
  return value as Config;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
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

/** How much of the repository an entry names, or undefined when the entry is for something else. */
function matchLength(key: string, target: Target): number | undefined {
  const bare = key.replace(/^https?:\/\//, "").replace(/\/+$/, "");
  const slash = bare.indexOf("/");
  const host = slash < 0 ? bare : bare.slice(0, slash);
  const path = slash < 0 ? "" : bare.slice(slash + 1);
  if (normalizeRegistry(host) !== normalizeRegistry(target.registry)) return undefined;
  // Docker's old keys end in the version of the API.
  if (path === "" || path === "v1" || path === "v2") return 0;
  const repository = target.repository ?? "";
  return repository === path || repository.startsWith(`${path}/`) ? path.length : undefined;
}

function serverName(key: string, target: Target): string {
  return normalizeRegistry(target.registry) === dockerHub ? dockerHubServer : key;
}

/** A name from a file becomes the name of a program: nothing but letters, digits, dots, dashes and underscores. */
function helperName(value: unknown): string {
  if (typeof value !== "string" || !/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(value)) {
    throw new Error("the name of a credential helper in it is not a program's name");
  }
  return value;
}

function readEntry(key: string, value: unknown): Credential | undefined {
  if (!isObject(value)) throw new Error(`its entry for ${JSON.stringify(key)} is no object`);
  if (typeof value["identitytoken"] === "string" && value["identitytoken"] !== "") {
    return { kind: "identity-token", token: value["identitytoken"] };
  }
  if (typeof value["auth"] === "string" && value["auth"] !== "") {
    const decoded = Buffer.from(value["auth"], "base64").toString("utf8");
    const colon = decoded.indexOf(":");
    if (colon < 1) throw new Error(`its entry for ${JSON.stringify(key)} is not the base64 of USER:PASSWORD`);
    // Docker pads with NULs.
    return {
      kind: "password",
      username: decoded.slice(0, colon),
      password: decoded.slice(colon + 1).replace(/\0+$/, ""),
    };
  }
  const { username, password } = value;
  if (typeof username === "string" && username !== "" && typeof password === "string") {
    return { kind: "password", username, password };
  }
  return undefined;
}
