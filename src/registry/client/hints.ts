import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Environment } from "../../core/environment.ts";
import { stateFolder } from "../../core/user-folders.ts";
import type { Challenge } from "./challenge.ts";

/** Saves the request that provokes a 401. Public: a scheme, and a token service's address and name, never a secret. */
export interface ChallengeHints {
  read(origin: string): Challenge | undefined;
  write(origin: string, challenge: Challenge): void;
}

/** Whether registries take a blob in one POST, which saves the request that opens an upload. */
export interface UploadHints {
  takesOnePost(origin: string): boolean | undefined;
  noteOnePost(origin: string, takes: boolean): void;
}

export type RegistryHints = ChallengeHints & UploadHints;

/** One file per registry and kind in the state folder. Ignores read and write errors: they only cost a request. */
export function hintsIn(env: Environment, now: () => number = Date.now): RegistryHints {
  const folder = join(stateFolder(env), "challenges");
  const uploads = join(stateFolder(env), "uploads");
  const pathOf = (origin: string, of = folder) => join(of, `${encodeURIComponent(origin)}.json`);
  return {
    read(origin) {
      try {
        return parse(readFileSync(pathOf(origin), "utf8"));
      } catch {
        return undefined;
      }
    },
    write(origin, { scheme, parameters: { realm, service } }) {
      // The scope is for one request only.
      writeHint(pathOf(origin), JSON.stringify({ scheme, parameters: scheme === "bearer" ? { realm, service } : {} }));
    },
    takesOnePost(origin) {
      try {
        const { onePost, seen } = JSON.parse(readFileSync(pathOf(origin, uploads), "utf8")) as Record<string, unknown>;
        const isFresh = typeof seen === "number" && Math.abs(now() - seen) < maximumAge;
        return typeof onePost === "boolean" && isFresh ? onePost : undefined;
      } catch {
        return undefined;
      }
    },
    noteOnePost(origin, takes) {
      writeHint(pathOf(origin, uploads), JSON.stringify({ onePost: takes, seen: now() }));
    },
  };
}

/** Milliseconds. Limited, since registries are updated. */
const maximumAge = 30 * 24 * 3_600_000;

export function writeHint(path: string, text: string): void {
  const draft = `${path}.${process.pid}.tmp`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(draft, text, { mode: 0o600 });
    renameSync(draft, path);
  } catch {
    // For example a full disk, or a folder of another user.
  }
}

function parse(text: string): Challenge | undefined {
  const { scheme, parameters } = JSON.parse(text) as Partial<Challenge>;
  if (scheme !== "basic" && scheme !== "bearer") return undefined;
  const known = Object.entries(parameters ?? {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return { scheme, parameters: Object.fromEntries(known) };
}
