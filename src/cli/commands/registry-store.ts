import { UserError } from "../../core/errors.ts";
import { takeLock } from "../../core/lock.ts";
import { askServer } from "../../registry/server/client.ts";
import { makeRegistryFolders, registryPaths, socketExists } from "../../registry/server/paths.ts";
import { type Collected, collectGarbage } from "../../registry/server/store/collect.ts";
import { type ListedImage, listImages } from "../../registry/server/store/images.ts";
import { openStore } from "../../registry/server/store.ts";

/** Lists all images, one per line: repository and tag, digest, size. */
export async function list({ json }: { readonly json: boolean }): Promise<void> {
  const images = await listedImages();
  if (json) {
    process.stdout.write(`${JSON.stringify(images, null, 2)}\n`);
    return;
  }
  const names = images.map(({ repository, tag }) => `${repository}:${tag ?? "<none>"}`);
  const width = Math.max(...names.map((name) => name.length), 0);
  for (const [index, { digest, size }] of images.entries()) {
    process.stdout.write(`${(names[index] ?? "").padEnd(width)}  ${digest}  ${formatSize(size)}\n`);
  }
  if (images.length === 0) process.stderr.write("The embedded registry has no images.\n");
}

/** Lists all images, even if the server is not running. */
export function listedImages(): Promise<ListedImage[]> {
  return ask("GET", "images", (store) => listImages(store.layout, store.manifests));
}

/** Removes unused data and prints how much. */
export async function collect({ json }: { readonly json: boolean }): Promise<void> {
  const collected = await ask<Collected>("POST", "gc", (store) =>
    collectGarbage(store.layout, store.manifests, { now: Date.now }),
  );
  if (json) process.stdout.write(`${JSON.stringify(collected, null, 2)}\n`);
  else {
    const { uploads, manifests, blobs, bytes } = collected;
    process.stdout.write(`Removed ${uploads} uploads, ${manifests} manifests, ${blobs} blobs: ${formatSize(bytes)}.\n`);
  }
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

/** Formats bytes for people, in powers of 1000 like disk sizes. */
function formatSize(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
