import { afterAll, expect, it } from "vitest";
import type { ImageManifest } from "../../src/oci/manifest.ts";
import { HttpCache } from "./http-cache.ts";
import { readPage } from "./page.ts";
import { Reader } from "./run.ts";

const cache = new HttpCache();
const address = await cache.start();
const ci = new Reader({ "grpcs://cache.example.com": address });
const other = new Reader({ "grpcs://cache.example.com": address });
afterAll(async () => {
  await ci.end();
  await other.end();
  cache.stop();
});

async function makeRepository(reader: Reader): Promise<void> {
  for (const line of ["tar -xzf slipway-*.tar.gz", "slipway-*/tools/slipway init my-app", "cd my-app"]) {
    await reader.sh(line);
  }
}

/** Runs Bazel without outputs, and gives the blobs that it downloads. */
async function downloads(command: string): Promise<ReadonlyMap<string, number>> {
  await other.sh("tools/bazel clean");
  cache.sent.clear();
  const output = await other.sh(`tools/bazel ${command} 2>&1`);
  // Bazel itself writes links and scripts.
  const processes = /^INFO: \d+ process(?:es)?: (.*)\.$/m.exec(output)?.[1]?.split(", ") ?? [];
  expect(processes.filter((each) => !/remote cache hit|internal/.test(each))).toEqual([]);
  expect(processes.join()).toContain("remote cache hit");
  return new Map(cache.sent);
}

/** The blobs that are layers of the image, as the registry has it. */
async function layers(): Promise<string[]> {
  const reference = (await ci.sh("tools/bazel run //:main_push 2>/dev/null")).trim();
  const inspect = `tools/bazel run @slipway//:slipway -- image inspect --json ${reference} 2>/dev/null`;
  const { manifest } = JSON.parse(await ci.sh(inspect)) as { manifest: ImageManifest };
  return manifest.layers.map(({ digest }) => digest.replace("sha256:", "cas/"));
}

it("a reader fills the cache as the page says", async () => {
  await makeRepository(ci);
  for (const block of readPage("docs/remote-caches.md").blocks) if (!block.isShown) await ci.follow(block);
}, 900_000);

it("another checkout builds nothing, and downloads what the page says", async () => {
  await makeRepository(other);
  for (const block of readPage("docs/remote-caches.md").blocks.slice(0, 1)) await other.follow(block);
  const all = await layers();
  expect(all.length).toBeGreaterThan(2);
  const ofLayers = (sent: ReadonlyMap<string, number>) => all.filter((digest) => sent.has(digest));
  expect(ofLayers(await downloads("run //:main"))).toEqual(all);
  expect(ofLayers(await downloads("run //:main_local"))).toEqual([]);
  expect(ofLayers(await downloads("build //:main"))).toEqual(all);
  expect(await downloads("build --remote_download_outputs=minimal //:main")).toEqual(new Map());
  expect(ofLayers(await downloads("run --remote_download_outputs=minimal //:main"))).toEqual(all);
}, 900_000);
