import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../../core/environment.ts";
import { stateFolder } from "../../core/user-folders.ts";
import { isDigest } from "../../oci/digest.ts";
import { isRepository } from "../../oci/reference.ts";
import { writeHint } from "./hints.ts";

/** Remembers the repositories of pushed blobs, so that others can mount them. Only a hint: the registry may have deleted them. */
export interface PushedBlobs {
  /**
   * @param account registry and user. Blobs of one account are never used for another
   * @returns the repository that has the blob, if known
   */
  find(account: string, digest: string): string | undefined;
  add(account: string, repository: string, digests: readonly string[]): void;
  /** Writes added entries. */
  save(): void;
}

/** Repository of a blob, and when it was last seen there: milliseconds since the epoch. */
type Entry = readonly [repository: string, seen: number];

/** Blobs of one account: 256 KB at most. The most recently seen stay. */
const maximumBlobs = 2000;

/** Milliseconds. Limited, since registries collect garbage and people delete repositories. */
const maximumAge = 30 * 24 * 3_600_000;

/** The record in the state folder. Loaded on first use. Read and write errors are ignored; they only cost uploads. */
export function pushedBlobsIn(env: Environment, now: () => number = Date.now): PushedBlobs {
  const folder = join(stateFolder(env), "pushed-blobs");
  const pathOf = (account: string) => join(folder, `${createHash("sha256").update(account).digest("hex")}.json`);
  const known = new Map<string, ReadonlyMap<string, Entry>>();
  const added = new Map<string, Map<string, Entry>>();
  return {
    find(account, digest) {
      let blobs = known.get(account);
      if (!blobs) {
        blobs = read(pathOf(account), now() - maximumAge);
        known.set(account, blobs);
      }
      return blobs.get(digest)?.[0];
    },
    add(account, repository, digests) {
      const blobs = added.get(account) ?? new Map<string, Entry>();
      added.set(account, blobs);
      for (const digest of digests) blobs.set(digest, [repository, now()]);
    },
    save() {
      for (const [account, blobs] of added) {
        // Read again: other launchers may have written meanwhile.
        const all = [...read(pathOf(account), now() - maximumAge), ...blobs];
        const newest = [...new Map(all)].sort(([, a], [, b]) => b[1] - a[1]).slice(0, maximumBlobs);
        writeHint(pathOf(account), JSON.stringify({ version: 1, blobs: Object.fromEntries(newest) }));
      }
      if (added.size > 0) forgetAccounts(folder, now() - maximumAge);
      added.clear();
    },
  };
}

function read(path: string, oldest: number): Map<string, Entry> {
  try {
    const { version, blobs } = JSON.parse(readFileSync(path, "utf8")) as { version?: unknown; blobs?: unknown };
    if (version !== 1 || typeof blobs !== "object" || blobs === null) return new Map();
    return new Map(Object.entries(blobs).filter((entry): entry is [string, Entry] => isEntry(entry, oldest)));
  } catch {
    return new Map();
  }
}

function isEntry([digest, entry]: readonly [string, unknown], oldest: number): boolean {
  if (!isDigest(digest) || !Array.isArray(entry)) return false;
  const [repository, seen] = entry as readonly unknown[];
  return typeof repository === "string" && isRepository(repository) && typeof seen === "number" && seen > oldest;
}

/** Registries and accounts that nothing was pushed to for long, and drafts of launchers that were killed. */
function forgetAccounts(folder: string, oldest: number): void {
  try {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (statSync(path).mtimeMs < oldest) rmSync(path, { force: true });
    }
  } catch {
    // Another launcher was faster.
  }
}
