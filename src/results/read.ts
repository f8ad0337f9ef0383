import { messageOf } from "../core/errors.ts";
import { readWhole } from "../core/read-whole.ts";
import type { RegistryClient } from "../registry/client/client.ts";
import type { ResultScope } from "./key.ts";
import { type KeptResult, maximumPack, parsePack } from "./pack.ts";
import { parseRun, type StoredPack, type StoredRun } from "./run.ts";

export interface ResultPlace {
  readonly client: RegistryClient;
  readonly repository: string;
  /** Told of damaged or foreign content that is left out, and of results that cannot be stored. */
  readonly onNotice: (text: string) => void;
}

const parallel = 6;

/** Undefined: it is gone, or was not made by Slipway. */
export async function readRun(place: ResultPlace, tag: string): Promise<StoredRun | undefined> {
  const { client, repository, onNotice } = place;
  const manifest = await client.getManifest(repository, tag);
  if (!manifest) return undefined;
  const run = parseRun(tag, manifest.bytes);
  if (typeof run !== "string") return run;
  onNotice(`${client.registry}/${repository}:${tag} ${run}; its results are not used.`);
  return undefined;
}

/** Skips damaged packs, with a notice. */
export async function resultsOf(place: ResultPlace, tag: string, run: StoredRun): Promise<readonly KeptResult[]> {
  return (await inParallel(run.packs, (pack) => resultsOfPack(place, run.scope, tag, pack))).flat();
}

/** None if it is damaged, with a notice. */
export async function resultsOfPack(
  place: ResultPlace,
  scope: ResultScope,
  tag: string,
  pack: StoredPack,
): Promise<readonly KeptResult[]> {
  const results = await readPack(place, scope, pack);
  return typeof results === "string" ? readAgain(place, scope, tag, pack, results) : results;
}

type Results = Exclude<ReturnType<typeof parsePack>, string>;

async function readPack(place: ResultPlace, scope: ResultScope, { descriptor }: StoredPack): Promise<Results | string> {
  const { client, repository } = place;
  let bytes: Buffer;
  try {
    bytes = await readWhole(client.getBlob(repository, descriptor), maximumPack);
  } catch (error) {
    return `cannot be read: ${messageOf(error).split("\n", 1)[0]}`;
  }
  return parsePack(bytes, scope);
}

/** A run that goes on merges its packs, and the registry may have collected one that was just listed. */
async function readAgain(
  place: ResultPlace,
  scope: ResultScope,
  tag: string,
  pack: StoredPack,
  problem: string,
): Promise<Results> {
  const { client, repository, onNotice } = place;
  const run = await readRun(place, tag);
  const packs = run?.packs ?? [];
  if (packs.some(({ descriptor }) => descriptor.digest === pack.descriptor.digest)) {
    onNotice(`Pack ${pack.descriptor.digest} of ${client.registry}/${repository}:${tag} ${problem}; it is not used.`);
    return [];
  }
  const read = await inParallel(packs, (each) => readPack(place, scope, each));
  return read.flatMap((each) => (typeof each === "string" ? [] : each));
}

export async function inParallel<Item, Result>(
  items: readonly Item[],
  act: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = new Array(items.length);
  const left = items.entries();
  const work = async () => {
    for (const [index, item] of left) results[index] = await act(item);
  };
  await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, work));
  return results;
}
