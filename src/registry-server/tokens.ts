import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

export type Action = "pull" | "push";

/** Seconds. */
export const defaultTokenLifetime = 15 * 60;
export const longestTokenLifetime = 24 * 60 * 60;

export interface Token {
  readonly token: string;
  /** ISO 8601. */
  readonly expiresAt: string;
}

export type Verdict = "allowed" | "invalid" | "expired" | "denied";

interface Claims {
  readonly repository: string;
  readonly actions: readonly Action[];
  /** Milliseconds since the epoch. */
  readonly expires: number;
}

/** Tokens for one repository. The key is only in memory, so they end with this process, whoever takes its port. */
export class Tokens {
  readonly #key = randomBytes(32);
  readonly #now: () => number;
  #latestExpiry = 0;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Milliseconds since the epoch. */
  get latestExpiry(): number {
    return this.#latestExpiry;
  }

  /** @param ttlSeconds at most {@link longestTokenLifetime} */
  issue(repository: string, actions: readonly Action[], ttlSeconds: number = defaultTokenLifetime): Token {
    const expires = this.#now() + Math.min(ttlSeconds, longestTokenLifetime) * 1000;
    this.#latestExpiry = Math.max(this.#latestExpiry, expires);
    const claims: Claims = { repository, actions, expires };
    const payload = Buffer.from(JSON.stringify(claims)).toString("base64url");
    return { token: `${payload}.${this.#sign(payload)}`, expiresAt: new Date(expires).toISOString() };
  }

  /** `repository` undefined: any valid token is accepted, as for `GET /v2/`. */
  check(token: string, repository: string | undefined, action: Action): Verdict {
    const [payload = "", signature = ""] = token.split(".");
    const expected = Buffer.from(this.#sign(payload));
    const given = Buffer.from(signature);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return "invalid";
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as Claims;
    if (claims.expires <= this.#now()) return "expired";
    if (repository === undefined) return "allowed";
    // A push must also be able to check for existing blobs.
    const allowed = claims.actions.includes(action) || claims.actions.includes("push");
    return claims.repository === repository && allowed ? "allowed" : "denied";
  }

  #sign(payload: string): string {
    return createHmac("sha256", this.#key).update(payload).digest("base64url");
  }
}

/** Bearer, or Basic with the user `token`, for engines. */
export function tokenOf(authorization: string | undefined): string | undefined {
  const [, scheme = "", value = ""] = /^(\S+) +(\S+)$/.exec(authorization ?? "") ?? [];
  if (scheme.toLowerCase() === "bearer") return value;
  if (scheme.toLowerCase() !== "basic") return undefined;
  const text = Buffer.from(value, "base64").toString();
  return text.startsWith("token:") ? text.slice("token:".length) : undefined;
}
