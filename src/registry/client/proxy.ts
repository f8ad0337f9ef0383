import type { Environment } from "../../core/environment.ts";
import { UserError } from "../../core/errors.ts";
import { isLoopback } from "../../oci/endpoint.ts";

export interface HttpProxy {
  /** May hold a user name and password. */
  readonly url: URL;
  readonly variable: string;
}

/** By the scheme, unless `no_proxy` names the host or it is loopback. Errors hide the value: it may have a password. */
export function proxyFor(url: URL, env: Environment): HttpProxy | undefined {
  const name = `${url.protocol.slice(0, -1)}_proxy`;
  const variable = [name, name.toUpperCase()].find((each) => env[each]);
  if (variable === undefined || isLoopback(url)) return undefined;
  if (isExcepted(url, env["no_proxy"] || env["NO_PROXY"] || "")) return undefined;
  const text = env[variable] as string;
  // Like curl, accept a bare HOST:PORT.
  const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  if (!URL.canParse(whole) || !["http:", "https:"].includes(new URL(whole).protocol)) {
    throw new UserError(
      { code: "proxy-invalid", culprit: variable },
      `The variable ${variable} does not hold the URL of an HTTP proxy.`,
      "Write http://HOST:PORT or https://HOST:PORT, or unset it.",
    );
  }
  return { url: new URL(whole), variable };
}

/** Go's rules: `*`, a domain, `.DOMAIN` (subdomains alone), an address, each with `:PORT`, or `ADDRESS/BITS`. */
function isExcepted(url: URL, list: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return list
    .split(",")
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry !== "" && (entry === "*" || isInNetwork(host, entry) || isNamed(host, port, entry)));
}

function isNamed(host: string, port: string, entry: string): boolean {
  const [, bracketed, plain = "", wantedPort] = /^(?:\[([^\]]+)\]|([^:]*|.*:.*:.*?))(?::(\d+))?$/.exec(entry) ?? [];
  if (wantedPort !== undefined && wantedPort !== port) return false;
  const name = (bracketed ?? plain).replace(/^\*(?=\.)/, "");
  return name.startsWith(".") ? host.endsWith(name) : host === name || host.endsWith(`.${name}`);
}

function isInNetwork(host: string, entry: string): boolean {
  const [, address, bits] = /^([0-9a-f.:]+)\/(\d{1,3})$/.exec(entry) ?? [];
  if (address === undefined) return false;
  const { BlockList, isIP } = process.getBuiltinModule("node:net");
  const kind = isIP(address);
  if (kind === 0 || isIP(host) !== kind || Number(bits) > (kind === 4 ? 32 : 128)) return false;
  const network = new BlockList();
  network.addSubnet(address, Number(bits), kind === 4 ? "ipv4" : "ipv6");
  return network.check(host, kind === 4 ? "ipv4" : "ipv6");
}
