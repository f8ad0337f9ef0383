import type { Action, Token } from "./tokens.ts";

/** Version of what our tools and the server say to each other below {@link controlPath}. Raised when either would misunderstand. */
export const protocolVersion = 1;

/**
 * Answered on the Unix socket alone. `GET status` and `POST stop` stay as they are in every version, since that is how a newer tool
 * finds out about an older server and replaces it.
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

export type TokenAnswer = Token;

/** What a server that was just started says on the pipe it was given, in one line of JSON. */
export type Handshake =
  | { readonly ready: { readonly host: string; readonly notice?: string } }
  | { readonly failed: { readonly message: string; readonly exitStatus: number } };
