import { readFileSync } from "node:fs";

/** When a process started, in ticks since boot. Undefined: none such runs, or this is not Linux. */
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

/** Without a `startTime` of {@link startTimeOf}, another process may have got the ID meanwhile. */
export function isRunning(pid: number, startTime?: string): boolean {
  if (startTime) return startTimeOf(pid) === startTime;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
