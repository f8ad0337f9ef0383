import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../../core/environment.ts";
import { stateFolder } from "../../core/user-folders.ts";
import type { Challenge } from "./challenge.ts";

/**
 * What registries asked for in earlier runs, so that the question need not be provoked again: with it, a request that needs a password
 * is one request, and one that needs a token two. A hint is public (a scheme, and for tokens the address and name of the service): no
 * credential and no token is ever kept. It is used for the very origin that gave it, by the same checks as a challenge that just came.
 */
export interface ChallengeHints {
  read(origin: string): Challenge | undefined;
  write(origin: string, challenge: Challenge): void;
}

/** Hints in a file per registry in the state folder. What cannot be read or written costs one request more, and is no error. */
export function hintsIn(env: Environment): ChallengeHints {
  const folder = join(stateFolder(env), "challenges");
  const pathOf = (origin: string) => join(folder, `${encodeURIComponent(origin)}.json`);
  return {
    read(origin) {
      try {
        return parse(readFileSync(pathOf(origin), "utf8"));
      } catch {
        return undefined;
      }
    },
    write(origin, challenge) {
      const text = JSON.stringify(hintOf(challenge));
      const path = pathOf(origin);
      const draft = `${path}.${process.pid}.tmp`;
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        writeFileSync(draft, text, { mode: 0o600 });
        renameSync(draft, path);
      } catch {
        // A full disk or a folder of somebody else's.
      }
    },
  };
}

/** A scope is for one request alone. */
function hintOf({ scheme, parameters }: Challenge): Challenge {
  const { realm, service } = parameters;
  const kept = scheme === "bearer" ? { realm: realm ?? "", ...(service === undefined ? {} : { service }) } : {};
  return { scheme, parameters: kept };
}

function parse(text: string): Challenge | undefined {
  const { scheme, parameters } = JSON.parse(text) as Partial<Challenge>;
  if (scheme !== "basic" && scheme !== "bearer") return undefined;
  const known = Object.entries(parameters ?? {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return { scheme, parameters: Object.fromEntries(known) };
}
