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
  /** Default: the environment of this process. */
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
