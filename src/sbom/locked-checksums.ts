import { parseLock } from "../debian/lock.ts";
import type { PackageRecord } from "./package-record.ts";

type Checksums = Map<string, Readonly<Record<string, string>>>;

const keyOf = (type: string, name: string, version: string) => `${type}:${name}@${version}`;

/** Reads a lock of `slipway image lock`, a `pnpm-lock.yaml`, or a `requirements.txt` with one hash for a package. */
export function lockedChecksums(locks: readonly string[]): (record: PackageRecord) => PackageRecord {
  const known: Checksums = new Map();
  for (const lock of locks) {
    if (lock.startsWith("# Debian packages, locked by")) {
      for (const { name, version, sha256 } of parseLock(lock, "lock").locked)
        known.set(keyOf("deb", name, version), { sha256 });
    } else if (/^lockfileVersion:/m.test(lock)) addPnpm(lock, known);
    else addRequirements(lock, known);
  }
  return (record) => {
    const checksums = known.get(keyOf(record.type, normalName(record.type, record.name), record.version));
    return checksums ? { ...record, checksums } : record;
  };
}

/** Reads only the lines that matter: a parser of YAML takes a second for a large lock. */
function addPnpm(lock: string, known: Checksums): void {
  const entry = /^ {2}'?(\S+?)@([^@\s'(]+)'?:\n {4}resolution: \{.*?integrity: (sha\d+)-([\w+/=]+)/gm;
  for (const [, name = "", version = "", algorithm = "", digest = ""] of lock.matchAll(entry)) {
    known.set(keyOf("npm", name, version), { [algorithm]: Buffer.from(digest, "base64").toString("hex") });
  }
}

function addRequirements(lock: string, known: Checksums): void {
  for (const line of lock.replaceAll(/\\\r?\n/g, " ").split("\n")) {
    const [, name = "", version = ""] = /^([\w.-]+)(?:\[[^\]]*\])?==([^\s;]+)/.exec(line) ?? [];
    const hashes = [...line.matchAll(/--hash=sha256:([0-9a-f]{64})/g)];
    const sha256 = hashes[0]?.[1];
    if (hashes.length === 1 && sha256) known.set(keyOf("pypi", normalName("pypi", name), version), { sha256 });
  }
}

/** Python's names may differ in case and separators (Python packaging specifications, "Name normalization"). */
function normalName(type: string, name: string): string {
  return type === "pypi" ? name.toLowerCase().replaceAll(/[-_.]+/g, "-") : name;
}
