import type { Environment } from "../core/environment.ts";
import { type GitProtocol, safeProtocols } from "./url.ts";

/** A password for a git server, and its place, for people. */
export interface GitPassword {
  readonly username: string;
  readonly password: string;
  readonly source: string;
}

/** A key for ssh: a file that ssh reads, or a text that only its agent sees. */
export type GitKey =
  | { readonly kind: "ssh-key-file"; readonly path: string; readonly source: string }
  | { readonly kind: "ssh-key"; readonly key: string; readonly source: string };

export interface GitAccess {
  readonly env?: Environment;
  readonly protocols?: readonly GitProtocol[];
  /** Called when a server asks. Default: the password that `slipway credentials add` stored. */
  readonly findPassword?: (url: string) => Promise<GitPassword | undefined>;
  /** None: the keys that ssh knows. Default: the key that `slipway credentials add` stored. */
  readonly findKey?: (url: string) => Promise<GitKey | undefined>;
  readonly signal?: AbortSignal;
}

export function protocolsOf(access: GitAccess): readonly GitProtocol[] {
  return access.protocols ?? safeProtocols;
}

/** The password that the user gave to `slipway credentials add`. Loaded when a server asks: most do not. */
export async function storedPassword(url: string, env: Environment): Promise<GitPassword | undefined> {
  const { findPassword } = await import("../credentials/find-remote.ts");
  const { parseServiceUrl } = await import("../credentials/service-url.ts");
  const { credential, source = "slipway credentials" } = await findPassword(parseServiceUrl("git", url), ["git"], env);
  if (credential?.kind !== "password") return undefined;
  return { username: credential.username, password: credential.password, source };
}

export async function storedKey(url: string, env: Environment): Promise<GitKey | undefined> {
  const { findSshKey } = await import("../credentials/find-remote.ts");
  const { parseServiceUrl } = await import("../credentials/service-url.ts");
  const { credential, source = "slipway credentials" } = await findSshKey(parseServiceUrl("git", url), env);
  return credential && { ...credential, source };
}
