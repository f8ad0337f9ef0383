export interface LockedPackage {
  readonly version: string;
  /** Subresource integrity: `sha512-…`. */
  readonly integrity: string;
}

/** Reads version 9 of pnpm-lock.yaml. */
export function lockedPackage(lock: string, name: string): LockedPackage {
  const lines = [...lock.matchAll(/^ {2}'?(@?[^@'\n]+)@([^':(\n]+)'?:\n {4}resolution: \{integrity: ([^,}]+)/gm)];
  const [found, ...others] = lines.filter(([, each]) => each === name);
  const [, , version, integrity] = found ?? [];
  if (!version || !integrity || others.length > 0) {
    throw new Error(`pnpm-lock.yaml has not one version of ${name}`);
  }
  return { version, integrity };
}
