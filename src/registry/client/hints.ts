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

/** A blob in one POST, which saves the request that opens an upload; the referrers API. */
export type Ability = "onePost" | "referrers";

/** What registries can do. */
export interface RegistryHints extends ChallengeHints {
  can(ability: Ability, origin: string): boolean | undefined;
  note(ability: Ability, origin: string, can: boolean): void;
}

/** One file per registry and kind in the state folder. Ignores read and write errors: they only cost a request. */
export function hintsIn(env: Environment, now: () => number = Date.now): RegistryHints {
  const folder = join(stateFolder(env), "challenges");
  const pathOf = (origin: string, of = folder) => join(of, `${encodeURIComponent(origin)}.json`);
  const noteOf = (ability: Ability, origin: string) => pathOf(origin, join(stateFolder(env), "abilities", ability));
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
    can(ability, origin) {
      try {
        const { can, seen } = JSON.parse(readFileSync(noteOf(ability, origin), "utf8")) as Record<string, unknown>;
        const isFresh = typeof seen === "number" && Math.abs(now() - seen) < maximumAge;
        return typeof can === "boolean" && isFresh ? can : undefined;
      } catch {
        return undefined;
      }
    },
    note(ability, origin, can) {
      writeHint(noteOf(ability, origin), JSON.stringify({ can, seen: now() }));
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
