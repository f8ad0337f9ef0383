import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { startTimeOf } from "./processes.ts";

/** Sends a signal to a group of processes. False: it has none any more. */
export function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Sends a signal to one process, unless another one has its id by now. False: it has ended. */
export function signalProcess(pid: number, startTime: string | undefined, signal: NodeJS.Signals): boolean {
  if (startTime === undefined || startTimeOf(pid) !== startTime) return false;
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

/** Milliseconds that the system may take to end a killed process. */
export const patience = 2000;

export async function killGroup(pid: number): Promise<void> {
  const end = Date.now() + patience;
  while (signalGroup(pid, "SIGKILL") && Date.now() < end) await delay(10);
}

/** Kills what was started with a variable of this value, in whatever group: daemons leave theirs. */
export async function killMarked(name: string, value: string): Promise<void> {
  const end = Date.now() + patience;
  for (;;) {
    const found = markedProcesses(name, value);
    for (const pid of found) signalProcess(pid, startTimeOf(pid), "SIGKILL");
    if (found.length === 0 || Date.now() >= end) return;
    await delay(10);
  }
}

function markedProcesses(name: string, value: string): number[] {
  const mark = `\0${name}=${value}\0`;
  try {
    return readdirSync("/proc")
      .map(Number)
      .filter((pid) => Number.isInteger(pid) && pid !== process.pid && isMarked(pid, mark));
  } catch {
    // Only Linux tells.
    return [];
  }
}

function isMarked(pid: number, mark: string): boolean {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, "latin1")}`.includes(mark);
  } catch {
    // It has ended, or is another user's.
    return false;
  }
}
