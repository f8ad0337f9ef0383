import { readFileSync } from "node:fs";
import type { ProcessLimits } from "./arguments.ts";

/** The limits that podman itself sets; higher ones would be refused. */
const most: ProcessLimits = { files: 1048576, processes: 32768 };

/** This process's hard limits: podman's higher default fails without CAP_SYS_RESOURCE. Undefined on macOS. */
export function processLimits(path = "/proc/self/limits"): ProcessLimits | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
  return {
    files: hardLimit(text, "Max open files", most.files),
    processes: hardLimit(text, "Max processes", most.processes),
  };
}

function hardLimit(text: string, name: string, atMost: number): number {
  const line = text.split("\n").find((candidate) => candidate.startsWith(name)) ?? "";
  const hard = Number(line.slice(name.length).trim().split(/\s+/)[1]);
  return Number.isInteger(hard) ? Math.min(hard, atMost) : atMost;
}
