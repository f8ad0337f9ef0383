import type { BackoffPolicy } from "../../core/back-off.ts";

export interface RetryPolicy extends BackoffPolicy {
  /** Milliseconds of waiting for a first answer: the registry probably does not exist. */
  readonly firstContactBudget: number;
}

export const defaultRetryPolicy = {
  attempts: 8,
  budget: 90_000,
  firstDelay: 500,
  maximumDelay: 20_000,
  firstContactBudget: 2_000,
} satisfies RetryPolicy;

/** 507, a full disk, does not go away by waiting. */
export function isRetriableStatus(status: number): boolean {
  return [408, 425, 429, 500, 502, 503, 504].includes(status);
}

const permanentFaults: readonly string[] = ["ENOTFOUND", "EACCES", "EPERM", "ENOENT", "EPROTO"];

/** Unknown host names and untrusted certificates are permanent. */
export function isRetriableFault(error: unknown): boolean {
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: number };
  // The proxy made no connection. 403 and 407 are about the user.
  if (code === "ERR_PROXY_TUNNEL") return statusCode === undefined || isRetriableStatus(statusCode);
  if (typeof code !== "string" || permanentFaults.includes(code)) return false;
  return /^(E[A-Z]+|EAI_AGAIN|HPE_[A-Z_]+|ERR_STREAM_PREMATURE_CLOSE)$/.test(code);
}

/** Milliseconds of a `Retry-After` (RFC 9110, section 10.2.3): seconds or a date. */
export function parseRetryAfter(value: string | undefined, now = Date.now()): number | undefined {
  if (value === undefined) return undefined;
  if (/^\s*\d+\s*$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
