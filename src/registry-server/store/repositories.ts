import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ifMissing } from "../errors.ts";
import type { StoreLayout } from "./layout.ts";

export async function listRepositories(layout: StoreLayout): Promise<string[]> {
  const found: string[] = [];
  const visit = async (name: string): Promise<void> => {
    const entries = (await readdir(join(layout.repositories, name), { withFileTypes: true }).catch(ifMissing)) ?? [];
    if (entries.some((entry) => entry.name.startsWith("_"))) found.push(name);
    for (const entry of entries) {
      if (entry.isDirectory() && !entry.name.startsWith("_"))
        await visit(name === "" ? entry.name : `${name}/${entry.name}`);
    }
  };
  await visit("");
  return found.sort();
}

export async function repositoryExists(layout: StoreLayout, name: string): Promise<boolean> {
  for (const folder of [layout.manifests(name), layout.blobLinks(name)]) {
    if (await stat(folder).catch(ifMissing)) return true;
  }
  return false;
}
