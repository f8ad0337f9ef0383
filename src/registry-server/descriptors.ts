import { closeSync, readdirSync, readFileSync } from "node:fs";

const closeOnExec = 0o2000000;

/** A shell or test harness may leave some open, and `out=$(…)` waits for them. Node closes its own. Linux only. */
export function closeInherited(keep: readonly number[]): void {
  if (process.platform !== "linux") return;
  for (const name of readdirSync("/proc/self/fd")) {
    if (keep.includes(Number(name))) continue;
    try {
      const [, flags = ""] = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${name}`, "utf8")) ?? [];
      if (flags !== "" && (Number.parseInt(flags, 8) & closeOnExec) === 0) closeSync(Number(name));
    } catch {
      // The folder's own descriptor is gone already.
    }
  }
}
