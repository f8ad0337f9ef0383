import type { Environment } from "../core/environment.ts";
import type { Consideration } from "./credential.ts";
import { matchLength, parseServiceUrl, type Service, type ServiceUrl } from "./service-url.ts";
import { canGive, describeEntry, type Entry } from "./source.ts";
import { readStore, storePath } from "./store.ts";

export interface Wanted {
  readonly services: readonly Service[];
  readonly url: ServiceUrl;
  readonly need: "password" | "ssh-key";
}

/** In Slipway's own file. */
export interface Selection {
  readonly entry?: Entry;
  /** For the same host. */
  readonly considered: readonly Consideration[];
}

/** The longest match on a path boundary, then the newest. */
export async function selectEntry(wanted: Wanted, env: Environment): Promise<Selection> {
  return choose(await readStore(env), wanted, storePath(env));
}

/** Entries come from the oldest to the newest. */
export function choose(entries: readonly Entry[], wanted: Wanted, place: string): Selection {
  let best: { entry: Entry; length: number } | undefined;
  const related: { entry: Entry; length: number | undefined }[] = [];
  for (const entry of entries) {
    if (!wanted.services.includes(entry.service) || !canGive(entry.source, wanted.need)) continue;
    const url = parseServiceUrl(entry.service, entry.url);
    if (url.host !== wanted.url.host) continue;
    const length = matchLength(url, wanted.url);
    related.push({ entry, length });
    if (length !== undefined && (!best || length >= best.length)) best = { entry, length };
  }
  const considered = related.map(({ entry, length }) => ({
    place: describeEntry(entry),
    used: entry === best?.entry,
    reason: reasonFor(length, entry === best?.entry, best?.length),
  }));
  if (considered.length === 0) considered.push({ place, used: false, reason: "it has nothing for this host" });
  return best ? { entry: best.entry, considered } : { considered };
}

function reasonFor(length: number | undefined, isBest: boolean, bestLength: number | undefined): string {
  if (length === undefined) return "it is for another port, scheme, user or path";
  if (isBest) return length === 0 ? "it is for the whole host" : "it names the longest part of the path";
  return length === bestLength ? "a newer one is for the same" : "another names a longer part of the path";
}
