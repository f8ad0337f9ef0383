import { closeSync, readdirSync, readFileSync } from "node:fs";

const closeOnExec = 0o2000000;

/**
 * Closes inherited descriptors. Node does not pass most of them to children, except high ones that a shell or test harness left open;
 * `out=$(…)` would wait for these as long as the server lives. Node opens its own descriptors with close-on-exec, so all others are inherited.
 * Works only on Linux; does nothing elsewhere.
 *
 * @param keep descriptors that stay open
 */
export function closeInherited(keep: readonly number[]): void {
  if (process.platform !== "linux") return;
  for (const name of readdirSync("/proc/self/fd")) {
    if (keep.includes(Number(name))) continue;
    try {
      const [, flags = ""] = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${name}`, "utf8")) ?? [];
      if (flags !== "" && (Number.parseInt(flags, 8) & closeOnExec) === 0) closeSync(Number(name));
    } catch {
      // The descriptor by which the folder was read is gone already.
    }
  }
}
