import { Failure, UserError } from "../core/errors.ts";
import type { ArchiveName } from "./archive.ts";
import { words } from "./deb822.ts";

export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  readonly archive: ArchiveName;
  /** Below the archive: `pool/…`. */
  readonly path: string;
  readonly sha256: string;
  readonly size: number;
}

export interface LockRequest {
  /** In apt's words: `bookworm`, `bookworm-security`. */
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** Debian's name: `amd64`, `arm64`. */
  readonly architecture: string;
  readonly packages: readonly string[];
  /** These count as present. */
  readonly excluded: readonly string[];
}

/** The request and its exact packages. It names no host. */
export interface Lock extends LockRequest {
  /** A moment at which snapshot.debian.org has these packages: `20261122T110000Z`. Older locks have none. */
  readonly snapshot?: string;
  readonly locked: readonly LockedPackage[];
}

const HEADER = "# Debian packages, locked by `slipway image lock`: name, version, path below a mirror, sha256, bytes.";

/** One line per package, so that an update reads well as a diff. */
export function formatLock(lock: Lock): string {
  const header = [
    HEADER,
    `Suites: ${lock.suites.join(" ")}`,
    `Components: ${lock.components.join(" ")}`,
    `Architecture: ${lock.architecture}`,
    `Packages: ${lock.packages.join(" ")}`,
    ...(lock.excluded.length > 0 ? [`Excluded: ${lock.excluded.join(" ")}`] : []),
    ...(lock.snapshot === undefined ? [] : [`Snapshot: ${lock.snapshot}`]),
  ];
  return `${header.join("\n")}\n\n${lock.locked.map((entry) => `${formatLockedPackage(entry)}\n`).join("")}`;
}

export function formatLockedPackage({ name, version, archive, path, sha256, size }: LockedPackage): string {
  return [name, version, `${archive}/${path}`, sha256, size].join(" ");
}

/** A package's name becomes a path and a label. Undefined: the line is no package. */
function parseLockedPackage(line: string): LockedPackage | undefined {
  const [, name, version, archive, path, sha256, size] =
    /^([a-z0-9][a-z0-9+.-]*) (\S+) (debian|debian-security)\/(pool\/\S+\.deb) ([0-9a-f]{64}) (\d+)$/.exec(line) ?? [];
  if (!name || !version || !path || !sha256 || path.includes("/../")) return undefined;
  return { name, version, archive: archive as ArchiveName, path, sha256, size: Number(size) };
}

/** @throws Failure if its lock could not be read */
export function lockedPackage(entry: LockedPackage): LockedPackage {
  const line = formatLockedPackage(entry);
  const locked = parseLockedPackage(line);
  if (locked) return locked;
  throw new Failure(
    { code: "repository-failed", culprit: entry.name },
    `The package index has ${JSON.stringify(line)}, which is not a package with a path below pool.`,
    "Use another mirror.",
  );
}

/** @throws UserError with the line that is wrong */
export function parseLock(text: string, file: string): Lock {
  const header = new Map<string, string>();
  const locked: LockedPackage[] = [];
  const wrong = (line: number, what: string) =>
    new UserError(
      { code: "file-invalid", culprit: `${file}:${line}` },
      `${file}:${line}: ${what}.`,
      "Make the lock again with `slipway image lock`.",
    );
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const field = /^([A-Z][a-z]+): (.*)$/.exec(line);
    if (field?.[1] !== undefined && field[2] !== undefined) {
      if (!["Suites", "Components", "Architecture", "Packages", "Excluded", "Snapshot"].includes(field[1])) {
        throw wrong(index + 1, `${field[1]} is not a field of a lock`);
      }
      if (field[1] === "Snapshot" && !/^\d{8}T\d{6}Z$/.test(field[2])) {
        throw wrong(index + 1, "the snapshot is not a moment such as 20261122T110000Z");
      }
      header.set(field[1], field[2]);
      continue;
    }
    const entry = parseLockedPackage(words(line).join(" "));
    if (!entry) {
      throw wrong(index + 1, "this is not a package, which has a name, version, path, sha256 and size");
    }
    locked.push(entry);
  }
  const list = (name: string) => words(header.get(name));
  for (const name of ["Suites", "Components", "Architecture", "Packages"]) {
    if (list(name).length === 0) throw wrong(1, `the field ${name} is missing`);
  }
  const snapshot = header.get("Snapshot");
  return {
    suites: list("Suites"),
    components: list("Components"),
    architecture: list("Architecture")[0] as string,
    packages: list("Packages"),
    excluded: list("Excluded"),
    ...(snapshot === undefined ? {} : { snapshot }),
    locked,
  };
}
