import type { EngineKind } from "../engine/kind.ts";
import type { Network } from "../engine/limits.ts";

/** Where a function ran, and what it could reach there. */
export interface RanIn {
  readonly kind: EngineKind;
  readonly network: Network;
}

/**
 * What to do about an error that comes from the limits of containers: no network unless it is asked for, and a root file system that is read-only.
 * Undefined for any other error. python/slipway/_errors.py has the same.
 *
 * @param details the error with its causes and their codes
 */
export function limitsRemedy(details: string, { kind, network }: RanIn): string | undefined {
  if (kind === "process") return undefined;
  if (/\bEROFS\b|Read-only file system/i.test(details)) {
    return "The file system of its image is read-only. Write below /tmp, or below HOME (/home/slipway).";
  }
  if (kind === "container" && network === "none" && /\b(EAI_AGAIN|ENETUNREACH)\b/.test(details)) {
    return 'It ran without a network. Set `network: "host"` in the options of the function.';
  }
  return undefined;
}
