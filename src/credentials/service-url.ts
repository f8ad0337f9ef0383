import { UserError } from "../core/errors.ts";
import { isRepository } from "../oci/reference.ts";
import { canonicalName, isRegistry, normalizeRegistry } from "../oci/registry-host.ts";

export const services = ["docker", "git", "http"] as const;
export type Service = (typeof services)[number];

/** Of a source, or of a request. */
export interface ServiceUrl {
  /** Undefined: a registry, or a source for both https and ssh. */
  readonly scheme?: "https" | "http" | "ssh" | undefined;
  readonly user?: string | undefined;
  /** In its canonical form, Docker Hub as `registry-1.docker.io`. */
  readonly host: string;
  readonly port?: number | undefined;
  /** Without leading and trailing slashes and `.git`. Empty: the whole host. */
  readonly path: string;
}

const defaultPorts = { https: 443, http: 80, ssh: 22 } as const;

const examples: Readonly<Record<Service, string>> = {
  docker: "registry.example.com, localhost:5000 or registry.example.com/team",
  git: "git@github.com, https://git.example.com/team or ssh://git@git.example.com:2222/team",
  http: "https://files.example.com or https://files.example.com/releases",
};

/** A registry's name, with or without a path; a git URL, `user@host:path`, or a host. Errors show no password. */
export function parseServiceUrl(service: Service, text: string): ServiceUrl {
  const [, scheme, rest = ""] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/is.exec(text) ?? [];
  if (/^[^/@]*:[^/@]*@/.test(rest)) {
    // The culprit must not show the password.
    throw new UserError(
      { code: "credential-invalid", culprit: service },
      `The URL for the ${service} service contains a password.`,
      "Remove it from the URL, change it if others could see it, and give the new one by --password-stdin or --file.",
    );
  }
  const fail = (problem: string): never => {
    throw new UserError(
      { code: "credential-invalid", culprit: text },
      `${JSON.stringify(text)} is not a URL for the ${service} service: ${problem}.`,
      `Write, for example, ${examples[service]}.`,
    );
  };
  if (/[\s\p{Cc}]/u.test(text)) return fail("it has a space or a control character in it");
  if (/[?#]/.test(rest)) return fail("it has a query or a fragment");
  if (rest.split(/[/:]/).some(isDots)) return fail("its path has . or .. in it");
  if (service === "docker") return registryUrl(scheme?.toLowerCase(), rest, fail);
  return remoteUrl(service, scheme?.toLowerCase(), rest, fail);
}

function registryUrl(scheme: string | undefined, rest: string, fail: (problem: string) => never): ServiceUrl {
  if (scheme !== undefined && scheme !== "https" && scheme !== "http") return fail(`registries have no ${scheme}://`);
  const { authority, path } = split(rest);
  if (!isRegistry(authority)) return fail(`${JSON.stringify(authority)} is not a host with an optional port`);
  // Docker's old keys end with the API version.
  const repository = /^v[12]$/.test(path) ? "" : path;
  if (repository !== "" && !isRepository(repository)) return fail(`${JSON.stringify(path)} is not a repository name`);
  return registryTarget(authority, repository);
}

export function registryTarget(registry: string, repository = ""): ServiceUrl {
  const { host = "", port } = hostAndPort(normalizeRegistry(registry)) ?? {};
  return { host, port, path: repository };
}

function remoteUrl(
  service: Service,
  scheme: string | undefined,
  rest: string,
  fail: (problem: string) => never,
): ServiceUrl {
  const known = scheme === undefined || scheme in defaultPorts;
  if (!known || (service === "http" && scheme === "ssh"))
    return fail(`${scheme}:// is nothing that takes a credential`);
  const short = scheme === undefined && /^(?:([^@/:]+)@)?([^:/[\]@]+):(?!\d+(?:\/|$))(.*)$/s.exec(rest);
  if (short && service === "git") {
    const [, user, host = "", path = ""] = short;
    const name = canonicalName(host);
    if (name === undefined) return fail(`${JSON.stringify(host)} is not a host`);
    return { scheme: "ssh", user, host: name, path: cleanPath(path) };
  }
  const { authority, path } = split(rest);
  const at = authority.lastIndexOf("@");
  const user = at < 0 ? undefined : authority.slice(0, at);
  const place = hostAndPort(authority.slice(at + 1));
  if (!place || user === "") return fail(`${JSON.stringify(authority)} is not a host with an optional port`);
  const implied = user === undefined || service === "http" ? undefined : "ssh";
  return { scheme: (scheme as ServiceUrl["scheme"]) ?? implied, user, ...place, path: cleanPath(path) };
}

/** Undefined: no match. `team` matches `team/app`, not `teammate`. Without a scheme, never matches plain HTTP. */
export function matchLength(source: ServiceUrl, asked: ServiceUrl): number | undefined {
  if (source.host !== asked.host) return undefined;
  if (source.scheme === undefined ? asked.scheme === "http" : source.scheme !== asked.scheme) return undefined;
  const usual = asked.scheme && defaultPorts[asked.scheme];
  if ((source.port ?? usual) !== (asked.port ?? usual)) return undefined;
  if (source.user !== undefined && asked.user !== undefined && source.user !== asked.user) return undefined;
  if (source.path === "") return 0;
  // Only the server knows how it resolves a path with dots.
  if (asked.path.split("/").some(isDots)) return undefined;
  return asked.path === source.path || asked.path.startsWith(`${source.path}/`) ? source.path.length : undefined;
}

function isDots(part: string): boolean {
  return part === "." || part === "..";
}

function split(text: string): { authority: string; path: string } {
  const slash = text.indexOf("/");
  if (slash < 0) return { authority: text, path: "" };
  return { authority: text.slice(0, slash), path: text.slice(slash + 1).replace(/\/+$/, "") };
}

function hostAndPort(text: string): { host: string; port?: number } | undefined {
  if (!isRegistry(text)) return undefined;
  const [, written = "", port] = /^(\[.*\]|[^:]*)(?::(\d+))?$/.exec(text) ?? [];
  const host = canonicalName(written) ?? written;
  return port === undefined ? { host } : { host, port: Number(port) };
}

function cleanPath(path: string): string {
  return path.replace(/^\/+|\/+$/g, "").replace(/\.git$/, "");
}
