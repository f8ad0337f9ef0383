import { formatBytes } from "../../config/quantity.ts";
import { UserError } from "../../core/errors.ts";
import { takeLock } from "../../core/lock.ts";

import { askServer } from "../../registry-server/client.ts";
import { makeRegistryFolders, registryPaths, socketExists } from "../../registry-server/paths.ts";
import { type Collected, collectGarbage } from "../../registry-server/store/collect.ts";
import { type ListedImage, listImages } from "../../registry-server/store/images.ts";
import { openStore } from "../../registry-server/store.ts";
import { command } from "../command.ts";
import { flag, json } from "./options.ts";
import { columns, notice, printJson } from "./output.ts";

export const ls = command({ json }, async ({ json }) => {
  const images = await listedImages();
  if (json) return printJson(images);
  const rows = images.map(({ repository, tag = "<none>", digest = "", size, problem }) => [
    `${repository}:${tag}`,
    digest,
    problem === undefined ? formatBytes(size) : "damaged",
  ]);
  process.stdout.write(columns(rows));
  for (const { problem } of images) if (problem !== undefined) notice(problem);
  if (images.length === 0) process.stderr.write("The embedded registry has no images.\n");
});

/** Works even if the server is not running. */
export function listedImages(): Promise<ListedImage[]> {
  return ask("GET", "images", (store) => listImages(store.layout, store.manifests));
}

export async function listedRepositories(): Promise<string[]> {
  return [...new Set((await listedImages()).map(({ repository }) => repository))].sort();
}

const now = flag("Do not wait: also remove untagged images, blobs and uploads that no connected client has used");

export const gc = command({ json, now }, async ({ json, now }) => {
  // Without a server, nobody pushes.
  const collected = await ask<Collected>("POST", now ? "gc?now" : "gc", (store) =>
    collectGarbage(store.layout, store.manifests, { now: Date.now, unusedSince: now ? Date.now() : undefined }),
  );
  if (json) return printJson(collected);
  const { uploads, manifests, blobs, bytes, skipped } = collected;
  for (const { repository, problem } of skipped) notice(`Removed nothing of ${repository}: ${problem}`);
  process.stdout.write(`Removed ${uploads} uploads, ${manifests} manifests, ${blobs} blobs: ${formatBytes(bytes)}.\n`);
});

/** Without a running server, collects in this process while holding the server's lock. */
async function ask<Answer>(
  method: "GET" | "POST",
  path: string,
  here: (store: ReturnType<typeof openStore>) => Promise<Answer>,
): Promise<Answer> {
  const paths = registryPaths();
  const answer = (await socketExists(paths)) ? await askServer<Answer>(paths.socket, method, path) : undefined;
  if (answer !== undefined) return answer;
  await makeRegistryFolders(paths);
  using lock = takeLock(paths.lock);
  if (!lock) {
    const identity = { code: "embedded-registry", culprit: paths.folder } as const;
    throw new UserError(identity, "The embedded registry is just starting or stopping.", "Try again.");
  }
  return await here(openStore(paths.data));
}
