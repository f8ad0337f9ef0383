import type { EngineKind } from "../engine/kind.ts";
import type { Network } from "../engine/limits.ts";

/** The engine and network with which a function ran. */
export interface RanIn {
  readonly kind: EngineKind;
  readonly network: Network;
}

/**
 * The remedy for an error that comes from the limits of containers: no network by default, and a read-only root file system.
 * Undefined for other errors. Keep python/slipway/_errors.py the same.
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
