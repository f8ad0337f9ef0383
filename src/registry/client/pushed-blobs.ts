import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../../core/environment.ts";
import { stateFolder } from "../../core/user-folders.ts";
import { isDigest } from "../../oci/digest.ts";
import { isRepository } from "../../oci/reference.ts";
import { writeHint } from "./hints.ts";

/**
 * Saves questions and uploads: a blob can be mounted into another repository. Only a hint, the registry may have
 * deleted it. Keyed by account (registry and user), so that users never share blobs.
 */
export interface PushedBlobs {
  find(account: string, digest: string): string | undefined;
  seenIn(account: string, repository: string): ReadonlySet<string>;
  add(account: string, repository: string, digests: readonly string[]): void;
  forget(account: string, repository: string): void;
  refusesUnknown(account: string, repository: string): boolean | undefined;
  noteRefusal(account: string, repository: string, refuses: boolean): void;
  save(): void;
}

/** Per account: 256 KB at most. The most recently seen stay. */
const maximumBlobs = 2000;

/** Milliseconds. Limited, since registries collect garbage and people delete repositories. */
const maximumAge = 30 * 24 * 3_600_000;
/** For {@link PushedBlobs.seenIn}. */
const maximumTrust = 24 * 3_600_000;

/** Milliseconds since the epoch, and whether it refuses unknown blobs. */
interface Repository {
  readonly blobs: Map<string, number>;
  refusal?: readonly [refuses: boolean, seen: number];
}

type Repositories = Map<string, Repository>;

/** In the state folder. Ignores read and write errors: they only cost uploads. */
export function pushedBlobsIn(env: Environment, now: () => number = Date.now): PushedBlobs {
  const folder = join(stateFolder(env), "pushed-blobs");
  const pathOf = (account: string) => join(folder, `${createHash("sha256").update(account).digest("hex")}.json`);
  const load = (account: string) => read(pathOf(account), now());
  const known = new Map<string, Repositories>();
  const changed = new Map<string, { added: Repositories; forgotten: Set<string> }>();
  const recordOf = (account: string) => known.get(account) ?? set(known, account, load(account));
  const changesOf = (account: string) =>
    changed.get(account) ?? set(changed, account, { added: new Map(), forgotten: new Set() });
  return {
    find(account, digest) {
      const having = [...recordOf(account)].filter(([, { blobs }]) => blobs.has(digest));
      return having.sort(([, a], [, b]) => (a.blobs.get(digest) ?? 0) - (b.blobs.get(digest) ?? 0)).at(-1)?.[0];
    },
    seenIn(account, repository) {
      const seen = recordOf(account).get(repository)?.blobs ?? new Map<string, number>();
      return new Set([...seen].filter(([, time]) => time > now() - maximumTrust).map(([digest]) => digest));
    },
    add(account, repository, digests) {
      const { blobs } = repositoryOf(changesOf(account).added, repository);
      for (const digest of digests) blobs.set(digest, now());
    },
    forget(account, repository) {
      const { added, forgotten } = changesOf(account);
      forgotten.add(repository);
      for (const record of [added, recordOf(account)]) record.get(repository)?.blobs.clear();
    },
    refusesUnknown(account, repository) {
      const [refuses, seen] = recordOf(account).get(repository)?.refusal ?? [undefined, 0];
      return seen > now() - maximumTrust ? refuses : undefined;
    },
    noteRefusal(account, repository, refuses) {
      repositoryOf(changesOf(account).added, repository).refusal = [refuses, now()];
    },
    save() {
      for (const [account, { added, forgotten }] of changed) {
        // Other launchers may have written meanwhile.
        const record = load(account);
        for (const repository of forgotten) record.get(repository)?.blobs.clear();
        for (const [repository, { blobs, refusal }] of added) {
          const all = repositoryOf(record, repository);
          for (const [digest, seen] of blobs) all.blobs.set(digest, seen);
          if (refusal) all.refusal = refusal;
        }
        writeHint(pathOf(account), format(record));
      }
      if (changed.size > 0) forgetAccounts(folder, now() - maximumAge);
      changed.clear();
    },
  };
}

function set<V>(map: Map<string, V>, key: string, value: V): V {
  map.set(key, value);
  return value;
}

function repositoryOf(record: Repositories, name: string): Repository {
  return record.get(name) ?? set(record, name, { blobs: new Map() });
}

function format(record: Repositories): string {
  const times = [...record.values()].flatMap(({ blobs }) => [...blobs.values()]).sort((a, b) => b - a);
  const oldest = times[maximumBlobs - 1] ?? 0;
  let left = maximumBlobs;
  // Blobs of the same push have the same time.
  const newest = ([, { blobs }]: readonly [string, Repository]) => Math.max(0, ...blobs.values());
  const repositories = [...record]
    .reverse()
    .sort((a, b) => newest(b) - newest(a))
    .slice(0, maximumBlobs)
    .map(([name, { blobs, refusal }]) => {
      const kept = [...blobs].filter(([, seen]) => seen >= oldest).slice(0, left);
      left -= kept.length;
      return [name, { blobs: Object.fromEntries(kept), refusal }] as const;
    });
  return JSON.stringify({ version: 2, repositories: Object.fromEntries(repositories.reverse()) });
}

function read(path: string, now: number): Repositories {
  const record: Repositories = new Map();
  try {
    const { version, repositories } = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    if (version !== 2) return record;
    const isFresh = (seen: unknown): seen is number =>
      typeof seen === "number" && seen > now - maximumAge && seen <= now;
    for (const [name, repository] of Object.entries(repositories as Record<string, Record<string, unknown>>)) {
      if (!isRepository(name)) continue;
      const entries = Object.entries((repository["blobs"] ?? {}) as Record<string, unknown>);
      const blobs = new Map(
        entries.filter((entry): entry is [string, number] => isDigest(entry[0]) && isFresh(entry[1])),
      );
      const [refuses, seen] = (repository["refusal"] ?? []) as readonly unknown[];
      const refusal = typeof refuses === "boolean" && isFresh(seen) ? ([refuses, seen] as const) : undefined;
      if (blobs.size > 0 || refusal) record.set(name, { blobs, ...(refusal ? { refusal } : {}) });
    }
  } catch {
    // Nothing was pushed yet, or the file is damaged.
    record.clear();
  }
  return record;
}

/** Accounts unused for long, and drafts of killed launchers. */
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
