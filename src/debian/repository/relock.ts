import { Failure } from "../../core/errors.ts";
import { formatLock, formatLockedPackage, type Lock } from "../lock.ts";
import { type LockOptions, makeLock } from "../update-lock.ts";
import { compareVersions } from "../version.ts";

export interface Relocked {
  readonly lock: string;
  readonly locked: Lock["locked"];
  /** Lines that the old one does not have. */
  readonly changed: readonly string[];
}

/** @throws Failure also when a package would become older: a valid, old index may be served again */
export async function relock({ locked, ...request }: Lock, options: LockOptions): Promise<Relocked> {
  const made = await makeLock(request, options);
  for (const { name, version } of made.locked) {
    const old = locked.find((entry) => entry.name === name);
    if (old !== undefined && compareVersions(version, old.version) < 0) {
      throw new Failure(
        { code: "repository-failed", culprit: name },
        `The mirror's index is older than the lock: the lock has ${name} ${old.version}, the mirror only ${version}.`,
        "Use another mirror.",
      );
    }
  }
  const before = new Set(locked.map(formatLockedPackage));
  const changed = made.locked.map(formatLockedPackage).filter((line) => !before.has(line));
  return { lock: formatLock(made), locked: made.locked, changed };
}
