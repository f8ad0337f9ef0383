import { isIPv4, isIPv6 } from "node:net";
import { domainToASCII } from "node:url";

export const dockerHub = "registry-1.docker.io";

/** Image references and engines' credential files use the first. */
const dockerHubAliases: readonly string[] = ["docker.io", "index.docker.io", dockerHub];

const label = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?";
const hostPattern = new RegExp(`^${label}(?:\\.${label})*$`);

/** Lower case, IDNA in ASCII, no dot at the end, IPv4 (also written as IPv6) in decimal, IPv6 in brackets. */
export function canonicalName(host: string): string | undefined {
  if (host.startsWith("[")) return host.endsWith("]") ? canonicalIPv6(host.slice(1, -1)) : undefined;
  // The parser decodes escapes, and drops line ends and tabs.
  if (/[^\p{L}\p{M}\p{N}.-]/u.test(host)) return undefined;
  const name = domainToASCII(host).replace(/\.$/, "");
  return name.length <= 253 && hostPattern.test(name) ? name : undefined;
}

function canonicalIPv6(address: string): string | undefined {
  if (!isIPv6(address) || address.includes("%")) return undefined;
  const { hostname } = new URL(`http://[${address}]`);
  const mapped = /\[::ffff:([0-9a-f]+):([0-9a-f]+)\]/.exec(hostname);
  if (!mapped) return hostname;
  return mapped
    .slice(1)
    .map((part) => Number.parseInt(part, 16))
    .map((part) => `${part >> 8}.${part & 255}`)
    .join(".");
}

/**
 * Without the default port (443, on this machine 80). `localhost` and `127.0.0.1` stay apart, so that the credential of
 * one goes to no other; see {@link ruleHost}. Undefined if it is not `host[:port]`.
 */
export function canonicalRegistry(text: string): string | undefined {
  const [, host = "", digits] = /^(\[[^\]]+\]|[^:[\]]+)(?::([0-9]{1,5}))?$/.exec(text) ?? [];
  const name = canonicalName(host);
  if (name === undefined) return undefined;
  const port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && (port < 1 || port > 65535)) return undefined;
  const usual = isLoopbackHost(name) ? 80 : 443;
  // Without a port, a name without a dot would be a repository of Docker Hub in a reference.
  const isPlain = /[.[]/.test(name) || name === "localhost";
  const registry = (port ?? usual) === usual && isPlain ? name : `${name}:${port ?? usual}`;
  return dockerHubAliases.includes(registry) ? dockerHub : registry;
}

export function isRegistry(text: string): boolean {
  return canonicalRegistry(text) !== undefined;
}

/** A text that is no registry stays, for the error of who opens it. */
export function normalizeRegistry(text: string): string {
  return canonicalRegistry(text) ?? text;
}

/** By definition: `localhost`, 127.0.0.0/8, ::1. */
export function isLoopbackHost(name: string): boolean {
  return name === "localhost" || name === "[::1]" || (isIPv4(name) && name.startsWith("127."));
}

/** Forbidding rules take one name for this machine's addresses and for ports 80 and 443: too much, not too little. */
export function ruleHost(registry: string): string {
  const name = normalizeRegistry(registry);
  const port = /:[0-9]+$/.exec(name)?.[0] ?? "";
  const host = name.slice(0, name.length - port.length);
  const isHere = isLoopbackHost(host) || host === "0.0.0.0" || host === "[::]" || host.endsWith(".localhost");
  return `${isHere ? "localhost" : host}${port === ":80" || port === ":443" ? "" : port}`;
}
