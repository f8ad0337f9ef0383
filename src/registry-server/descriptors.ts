import { closeSync, readdirSync, readFileSync } from "node:fs";

const closeOnExec = 0o2000000;

/**
 * Closes descriptors that a shell or test harness left open: `out=$(…)` would wait for them as long as the server
 * lives. Node opens its own with close-on-exec, so all others are inherited. Linux only.
 */
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
