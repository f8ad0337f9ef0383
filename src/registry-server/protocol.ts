import type { WireError } from "../core/wire-error.ts";
import type { Action } from "./tokens.ts";

/** Version of the protocol between our tools and the server below {@link controlPath}. Increase it for incompatible changes. */
export const protocolVersion = 1;

/**
 * Only available on the Unix socket. Never change `GET status` and `POST stop`: newer tools use them to find and replace older servers.
 */
export const controlPath = "/slipway/";

/** `GET status` */
export interface Status {
  readonly protocol: number;
  /** `localhost:PORT`, the registry in image references. */
  readonly host: string;
  readonly pid: number;
}

/** `POST token` */
export interface TokenRequest {
  readonly repository: string;
  readonly actions: readonly Action[];
  /** Seconds. Default 15 minutes, at most a day. */
  readonly ttlSeconds?: number;
}

/** The line of JSON that a new server writes to its pipe. */
export type Handshake =
  | { readonly ready: { readonly host: string; readonly notice?: string } }
  | { readonly failed: WireError };
