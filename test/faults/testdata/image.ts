import { buffer } from "node:stream/consumers";
import { expect } from "vitest";
import { sha256 } from "../../../src/oci/digest.ts";
import type { RegistryClient } from "../../../src/registry/client/client.ts";
import type { ImageToPush } from "../../../src/registry/client/push.ts";

/** Reads an image back byte for byte, past the proxy. */
export async function expectIntact(direct: RegistryClient, image: ImageToPush & { manifest: Uint8Array }): Promise<void> {
  const content = await image.read();
  for (const reference of [...image.tags, image.digest]) {
    const stored = await direct.getManifest(image.repository, reference);
    expect(stored?.bytes.equals(image.manifest)).toBe(true);
  }
  for (const { descriptor } of content.blobs) {
    const bytes = await buffer(direct.getBlob(image.repository, descriptor));
    expect(sha256(bytes)).toBe(descriptor.digest);
  }
}

/** Whatever a tag names is whole: a push that failed may leave blobs behind, and nothing else. */
export async function expectNothingBroken(direct: RegistryClient, image: ImageToPush): Promise<void> {
  for (const reference of [...image.tags, image.digest]) {
    const stored = await direct.getManifest(image.repository, reference);
    if (!stored) continue;
    const { config, layers } = JSON.parse(stored.bytes.toString());
    for (const { digest, size } of [config, ...layers]) {
      const bytes = await buffer(direct.getBlob(image.repository, { digest, size }));
      expect(sha256(bytes)).toBe(digest);
    }
  }
}
