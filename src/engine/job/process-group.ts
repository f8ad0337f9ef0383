import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** When a process started, in ticks since boot: with its id it is one process and never another. Undefined: none such runs. */
export function startTimeOf(pid: number): string | undefined {
  try {
    // The name, the second field, may have spaces and parentheses in it: proc(5).
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    // A process that has ended stays until its parent takes note.
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** Sends a signal to a group of processes. False: it has none any more. */
export function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** How long the system may take to end a process that was killed, in milliseconds; more is one that nobody takes note of. */
const patience = 2000;

/** Kills a group and waits until nothing of it runs. */
export async function killGroup(pid: number): Promise<void> {
  const end = Date.now() + patience;
  while (signalGroup(pid, "SIGKILL") && Date.now() < end) await delay(10);
}
