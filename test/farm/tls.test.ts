import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, expect, it } from "vitest";
import type { UserError } from "../../src/core/errors.ts";
import { failureWith } from "../../src/core/testdata/reported.ts";
import { sha256 } from "../../src/oci/digest.ts";
import { RemoteCache } from "../../src/remote-cache/remote-cache.ts";
import { scratchFolder } from "../e2e/workspace.ts";
import { privateAuthority } from "../registries/testdata/certificates.ts";
import { Farm } from "./farm.ts";

const folder = mkdtempSync(join(scratchFolder(), "ours-"));
const authority = privateAuthority(folder);
authority.issue("server");
const me = authority.issue("me");
const other = privateAuthority(mkdtempSync(join(scratchFolder(), "others-")));
const stranger = other.issue("stranger");
const farm = await Farm.start(folder);
const { host } = new URL(farm.secureAddress.replace("grpcs:", "https:"));
const content = Buffer.alloc(3_000_000, "layer");
const blob = { digest: sha256(content), size: content.length };
farm.store(blob.digest.replace("sha256:", ""), content);
afterAll(() => farm.stop());

/** What a push does with a layer, with this entry under `remoteCaches`. */
async function layer(entry: string): Promise<Buffer> {
  const config = join(folder, "config.yaml");
  writeFileSync(config, `remoteCaches:\n  ${host}: {${entry}}\n`);
  const cache = new RemoteCache(farm.secureAddress, { ...process.env, SLIPWAY_CONFIG: config });
  try {
    expect(await cache.missing([blob])).toEqual([]);
    return await buffer(cache.open(blob, 0, blob.size));
  } finally {
    await cache.close();
  }
}

it("a layer streams over TLS with a client certificate", async () => {
  const read = await layer(`ca: ca.pem, certificate: ${me.certificate}, key: ${me.key}`);
  expect(read.equals(content)).toBe(true);
});

it.each([
  ["no authority", `certificate: ${me.certificate}, key: ${me.key}`, "Set remoteCaches.HOST.ca in"],
  [
    "another authority",
    `ca: ${other.certificate}, certificate: ${me.certificate}, key: ${me.key}`,
    "Set remoteCaches.HOST.ca in",
  ],
  ["no client certificate", "ca: ca.pem", "set remoteCaches.HOST.certificate and .key in"],
  [
    "the client certificate of another authority",
    `ca: ca.pem, certificate: ${stranger.certificate}, key: ${stranger.key}`,
    "set remoteCaches.HOST.certificate and .key in",
  ],
])("%s is an error that names the cache and the setting", async (_, entry, setting) => {
  const error: UserError = await layer(entry).catch((caught) => caught);
  expect(error).toEqual(failureWith("remote-cache-failed", host));
  expect(error.remedy).toContain(setting.replace("HOST", host));
});
