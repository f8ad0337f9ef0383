import { randomBytes } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { expect, it } from "vitest";
import { Target } from "../../../src/launch/testdata/target.ts";
import { sha256 } from "../../../src/oci/digest.ts";
import type { RegistryClient } from "../../../src/registry/client/client.ts";
import { openRegistry } from "../../../src/registry/client/open.ts";

/** A registry, or what brings it. */
export interface Destination {
  /** Readies a target for it, as the machine of its user would be. */
  prepare(target: Target): void;
  /** Opens it once they have pushed. */
  open(): Promise<RegistryClient>;
}

/**
 * What must work with every registry: nobody waits for, or is harmed by, somebody else with the same blobs.
 *
 * @param start an empty one
 */
export function takesTwoAtOnce(start: () => Promise<Destination>): void {
  it("takes the same new blobs from two launchers at once, and both succeed", async () => {
    const destination = await start();
    const layers = Array.from({ length: 4 }, () => randomBytes(3 << 20));
    const targets = ["one", "two"].map((name) => {
      const target = new Target("push");
      destination.prepare(target);
      const digest = target.image({ layers, remoteTags: [name] });
      return { target, digest };
    });
    const ended = await Promise.all(targets.map(({ target }) => target.run()));
    expect(ended.map(({ status, stderr }) => ({ status, stderr }))).toEqual(
      targets.map(() => ({ status: 0, stderr: expect.stringMatching(/^(pushed|tagged) /m) })),
    );
    const client = await destination.open();
    try {
      for (const { digest } of targets) expect((await client.headManifest("team/app", digest))?.digest).toBe(digest);
      expect((await client.listTags("team/app")).sort()).toEqual(["one", "two"]);
      for (const layer of layers) {
        const descriptor = { digest: sha256(layer), size: layer.length };
        expect(sha256(await buffer(client.getBlob("team/app", descriptor)))).toBe(descriptor.digest);
      }
    } finally {
      client.close();
    }
  });
}

/** One that has a name and asks nobody for a password. */
export function open(host: string): Destination {
  return {
    prepare: ({ request }) => {
      request.defaultRegistry = host;
    },
    open: async () => openRegistry(host),
  };
}
