import type { Environment } from "../core/environment.ts";
import { type GitProtocol, safeProtocols } from "./url.ts";

/** What proves to a git server who asks, and where it is from, for people. */
export interface GitPassword {
  readonly username: string;
  readonly password: string;
  readonly source: string;
}

/** A key for ssh: a file that ssh reads itself, or a text that only its agent gets to see. */
export type GitKey =
  | { readonly kind: "ssh-key-file"; readonly path: string; readonly source: string }
  | { readonly kind: "ssh-key"; readonly key: string; readonly source: string };

/** How git servers are reached. */
export interface GitAccess {
  /** Where git, ssh and what they need are found. Default: this process's. */
  readonly env?: Environment;
  /** Default: {@link safeProtocols}. */
  readonly protocols?: readonly GitProtocol[];
  /** The password for an address; asked only once a server wants one. Default: what `slipway credentials add` was told. */
  readonly findPassword?: (url: string) => Promise<GitPassword | undefined>;
  /** The key for an address; none means what ssh itself knows. Default: what `slipway credentials add` was told. */
  readonly findKey?: (url: string) => Promise<GitKey | undefined>;
  readonly signal?: AbortSignal;
}

export function protocolsOf(access: GitAccess): readonly GitProtocol[] {
  return access.protocols ?? safeProtocols;
}
