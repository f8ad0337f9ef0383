import type { WireError } from "../core/wire-error.ts";
import type { Action } from "./tokens.ts";

/** Below {@link controlPath}. Increase it for incompatible changes. */
export const protocolVersion = 1;

/** On the Unix socket only. Never change `GET status` and `POST stop`: newer tools replace older servers by them. */
export const controlPath = "/slipway/";

/** `GET status` */
export interface Status {
  readonly protocol: number;
  /** `localhost:PORT`. */
  readonly host: string;
  readonly pid: number;
}

/** `POST token` */
export interface TokenRequest {
  readonly repository: string;
  readonly actions: readonly Action[];
  /** Default 15 minutes, at most a day. */
  readonly ttlSeconds?: number;
}

/** The line of JSON on a new server's pipe. */
export type Handshake =
  | { readonly ready: { readonly host: string; readonly notice?: string } }
  | { readonly failed: WireError };
