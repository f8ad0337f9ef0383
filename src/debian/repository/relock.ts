import { formatLock, formatLockedPackage, type Lock } from "../lock.ts";
import { type LockOptions, makeLock } from "../update_lock.ts";

/** A lock made anew. */
export interface Relocked {
  /** The file. */
  readonly lock: string;
  readonly locked: Lock["locked"];
  /** Its lines that the old one does not have. */
  readonly changed: readonly string[];
}

/** Locks the newest packages for what `lock` was made for. */
export async function relock({ locked, ...request }: Lock, options: LockOptions): Promise<Relocked> {
  const made = await makeLock(request, options);
  const before = new Set(locked.map(formatLockedPackage));
  const changed = made.locked.map(formatLockedPackage).filter((line) => !before.has(line));
  return { lock: formatLock(made), locked: made.locked, changed };
}
