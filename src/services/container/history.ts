import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { differencesOf } from "../../config/difference.ts";
import type { Environment } from "../../core/environment.ts";
import { replaceFile } from "../../core/files.ts";
import { stateFolder } from "../../core/user-folders.ts";
import { userName } from "../../core/user-name.ts";
import { causeOf, keptRevisions, type Revision } from "../history.ts";
import { hashOf, type Meaning } from "./facts.ts";

export type KeptRevision = Omit<Revision, "isCurrent"> & { readonly meaning: Meaning };

/** The folder of locks and histories. Only its owner may read it: specs can have values of variables. */
export function servicesFolder(env: Environment): string {
  return join(stateFolder(env), "services");
}

function pathOf(env: Environment, service: string): string {
  return join(servicesFolder(env), `${service}.history.json`);
}

export async function readHistory(env: Environment, service: string): Promise<readonly KeptRevision[]> {
  const text = await readFile(pathOf(env, service), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "[]";
    throw error;
  });
  return JSON.parse(text) as readonly KeptRevision[];
}

/** Without values of secrets. The same facts are the same revision. `why` defaults to user and changed fields. */
export async function noteRevision(env: Environment, { service, ...rest }: Meaning, why?: string): Promise<void> {
  const { name } = service;
  const { secrets: _, ...written } = service;
  const meaning: Meaning = { ...rest, service: written };
  const before = await readHistory(env, name);
  const last = before.at(-1);
  const isSame = last !== undefined && hashOf(last.meaning.facts) === hashOf(meaning.facts);
  const fields = last && differencesOf(last.meaning.facts, meaning.facts).map(({ field }) => field);
  const next: KeptRevision = isSame
    ? { ...last, meaning }
    : {
        revision: (last?.revision ?? 0) + 1,
        created: new Date().toISOString(),
        cause: `${userName()}: ${why ?? causeOf(fields)}`,
        image: meaning.facts.image,
        meaning,
      };
  const kept = [...before.slice(0, isSame ? -1 : undefined), next].slice(-keptRevisions);
  await replaceFile(pathOf(env, name), JSON.stringify(kept));
}

export async function forgetHistory(env: Environment, service: string): Promise<void> {
  await rm(pathOf(env, service), { force: true });
}
