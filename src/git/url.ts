import { UserError } from "../core/errors.ts";
import { isRegistry } from "../oci/registry-host.ts";

/** Protocols of git servers. `file` is for tests. */
export type GitProtocol = "https" | "ssh" | "file";

/** The protocols of jobs: both authenticate the server and encrypt. */
export const safeProtocols: readonly GitProtocol[] = ["https", "ssh"];

export interface GitUrl {
  readonly protocol: GitProtocol;
  readonly user?: string;
  /** `host[:port]`, lower case; empty for files. */
  readonly authority: string;
  /** With its leading slash, if it has one. */
  readonly path: string;
  readonly text: string;
}

/** `https://HOST/PATH`, `ssh://USER@HOST/PATH` or `USER@HOST:PATH`; else what is wrong and what to do. */
export function parseGitUrl(
  text: string,
  allowed: readonly GitProtocol[] = safeProtocols,
): GitUrl | { readonly problem: string; readonly remedy: string } {
  const remedy = "Write https://HOST/PATH, ssh://USER@HOST/PATH or USER@HOST:PATH.";
  const bad = (problem: string, otherRemedy = remedy) => ({ problem, remedy: otherRemedy });
  if (/[\s\p{Cc}\\]/u.test(text)) return bad("has a space, a backslash or a control character in it");

  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i.exec(text) ?? [];
  if (scheme === undefined || rest === undefined)
    return /^[a-z]+::/i.test(text)
      ? bad(`is no address of a git server: ${text.slice(0, text.indexOf("::"))}:: starts programs`)
      : shortForm(text, bad);
  const protocol = scheme.toLowerCase();
  if (!(allowed as readonly string[]).includes(protocol)) {
    return bad(`has the protocol ${protocol}, and only ${safeProtocols.join(" and ")} may be used`);
  }
  if (/[?#]/.test(rest)) return bad("has a query or a fragment");
  const slash = rest.indexOf("/");
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  const path = slash < 0 ? "" : rest.slice(slash);
  if (path.length < 2) return bad("names no repository on its server");
  if (protocol === "file")
    return authority === "" ? { protocol, authority, path, text } : bad("names a host for a file");

  const at = authority.lastIndexOf("@");
  const user = at < 0 ? undefined : authority.slice(0, at);
  const host = authority.slice(at + 1).toLowerCase();
  // It is often a password or a token: do not show it.
  const secretRemedy =
    "Take it out of the address, change it where it was shown, and give it by `slipway credentials add`.";
  if (user?.includes(":")) return bad("has a password in it", secretRemedy);
  if (user !== undefined && protocol === "https") return bad("has a user or a token in it", secretRemedy);
  if (!isRegistry(host)) return bad(`has ${JSON.stringify(host)} for its host`);
  if (user !== undefined && !isUser(user)) return bad(`has ${JSON.stringify(user)} for its user`);
  return { protocol: protocol as GitProtocol, ...(user === undefined ? {} : { user }), authority: host, path, text };
}

/** `user@host:path`, which is short for ssh. */
function shortForm(text: string, bad: (problem: string) => { problem: string; remedy: string }) {
  const [, user, host, path] = /^([^@/:]+)@([^:/]+):([^:]*)$/.exec(text) ?? [];
  if (user === undefined || host === undefined || path === undefined) return bad("is no address of a git server");
  if (!isUser(user)) return bad(`has ${JSON.stringify(user)} for its user`);
  if (!isRegistry(host)) return bad(`has ${JSON.stringify(host)} for its host`);
  if (path === "" || path === "/") return bad("names no repository on its server");
  if (path.startsWith("-")) return bad("has a path that starts with a dash");
  return { protocol: "ssh" as const, user, authority: host.toLowerCase(), path, text };
}

/** No option of ssh, and nothing that a shell would interpret. */
function isUser(text: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(text);
}

export function requireGitUrl(text: string, allowed: readonly GitProtocol[], origin: string): GitUrl {
  const url = parseGitUrl(text, allowed);
  if ("problem" in url) {
    throw new UserError(
      { code: "code-invalid", culprit: origin },
      `${origin}: the address of the repository ${url.problem}.`,
      url.remedy,
    );
  }
  return url;
}

/** The address of a submodule. Relative ones are relative to the repository that has it (gitmodules(5)). */
export function submoduleUrl(parent: GitUrl, text: string, allowed: readonly GitProtocol[], origin: string): GitUrl {
  if (!/^\.\.?(\/|$)/.test(text)) return requireGitUrl(text, allowed, origin);
  const parts = parent.path.split("/").filter((part) => part !== "");
  for (const part of text.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  }
  const head = parent.text.slice(0, parent.text.length - parent.path.length);
  return requireGitUrl(`${head}${parent.path.startsWith("/") ? "/" : ""}${parts.join("/")}`, allowed, origin);
}

export function isBranchName(text: string): boolean {
  if (text === "" || text === "@" || text.startsWith("-") || text.startsWith("/") || text.endsWith("/")) return false;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the characters that git refuses
  if (/[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|\.$/.test(text)) return false;
  return text.split("/").every((part) => !part.startsWith(".") && !part.endsWith(".lock"));
}
