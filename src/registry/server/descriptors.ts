import { closeSync, readdirSync, readFileSync } from "node:fs";

const closeOnExec = 0o2000000;

/**
 * Closes descriptors that came from whoever started this process. Node keeps most of them from its children, but not those with a high
 * number that a shell or a test harness left open; `out=$(…)` would wait for one of those as long as the server lives. All that Node
 * opens itself is closed on exec, so what is not was inherited. Only Linux tells; elsewhere nothing is done.
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
