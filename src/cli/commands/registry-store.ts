import { UserError } from "../../core/errors.ts";
import { takeLock } from "../../core/lock.ts";
import { formatBytes } from "../../registry/client/progress.ts";
import { askServer } from "../../registry/server/client.ts";
import { makeRegistryFolders, registryPaths, socketExists } from "../../registry/server/paths.ts";
import { type Collected, collectGarbage } from "../../registry/server/store/collect.ts";
import { type ListedImage, listImages } from "../../registry/server/store/images.ts";
import { openStore } from "../../registry/server/store.ts";
import { columns, printJson } from "./output.ts";

/** Lists all images, one per line: repository and tag, digest, size. */
export async function list({ json }: { readonly json: boolean }): Promise<void> {
  const images = await listedImages();
  if (json) return printJson(images);
  const rows = images.map(({ repository, tag = "<none>", digest, size }) => [
    `${repository}:${tag}`,
    digest,
    formatBytes(size),
  ]);
  process.stdout.write(columns(rows));
  if (images.length === 0) process.stderr.write("The embedded registry has no images.\n");
}

/** Lists all images, even if the server is not running. */
export function listedImages(): Promise<ListedImage[]> {
  return ask("GET", "images", (store) => listImages(store.layout, store.manifests));
}

/** The names of all repositories. */
export async function listedRepositories(): Promise<string[]> {
  return [...new Set((await listedImages()).map(({ repository }) => repository))].sort();
}

/** Removes unused data and prints how much. */
export async function collect({ json }: { readonly json: boolean }): Promise<void> {
  const collected = await ask<Collected>("POST", "gc", (store) =>
    collectGarbage(store.layout, store.manifests, { now: Date.now }),
  );
  if (json) return printJson(collected);
  const { uploads, manifests, blobs, bytes } = collected;
  process.stdout.write(`Removed ${uploads} uploads, ${manifests} manifests, ${blobs} blobs: ${formatBytes(bytes)}.\n`);
}

/** Asks the running server. If there is none, collects in this process while holding the server's lock. */
async function ask<Answer>(
  method: "GET" | "POST",
  path: string,
  here: (store: ReturnType<typeof openStore>) => Promise<Answer>,
): Promise<Answer> {
  const paths = registryPaths();
  const answer = (await socketExists(paths)) ? await askServer<Answer>(paths.socket, method, path) : undefined;
  if (answer !== undefined) return answer;
  await makeRegistryFolders(paths);
  const lock = takeLock(paths.lock);
  if (!lock) {
    const identity = { code: "embedded-registry", culprit: paths.folder } as const;
    throw new UserError(identity, "The embedded registry is just starting or stopping.", "Try again.");
  }
  try {
    return await here(openStore(paths.data));
  } finally {
    lock.release();
  }
}
