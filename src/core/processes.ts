import { readFileSync } from "node:fs";

/** When a process started, in ticks since boot: with its id it is one process and never another. Undefined: none such runs, or only Linux would tell. */
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

/**
 * Tells if a process runs.
 *
 * @param startTime of the process, as `startTimeOf` gave it. Without one, or with an empty one, another process may have got the id meanwhile.
 */
export function isRunning(pid: number, startTime?: string): boolean {
  if (startTime) return startTimeOf(pid) === startTime;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
