import { randomBytes } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { expect, it, onTestFinished } from "vitest";
import { Target } from "../../src/launch/testdata/target.ts";
import { sha256 } from "../../src/oci/digest.ts";
import { openRegistry } from "../../src/registry/client/open.ts";
import { startDockerRegistry } from "../registries/testdata/docker-registry.ts";

it("two launchers that push the same new blobs at once both succeed", async () => {
  const host = await startDockerRegistry({ auth: "none" });
  const layers = Array.from({ length: 4 }, () => randomBytes(3 << 20));
  const targets = ["one", "two"].map((name) => {
    const target = new Target("push");
    target.request.defaultRegistry = host;
    const digest = target.image({ layers, remoteTags: [name] });
    return { target, digest };
  });
  const ended = await Promise.all(targets.map(({ target }) => target.run()));
  expect(ended.map(({ status, stderr }) => ({ status, stderr }))).toEqual(
    targets.map(() => ({ status: 0, stderr: expect.stringMatching(/^(pushed|tagged) /m) })),
  );
  const client = openRegistry(host);
  onTestFinished(() => client.close());
  for (const { digest } of targets) expect((await client.headManifest("team/app", digest))?.digest).toBe(digest);
  expect((await client.listTags("team/app")).sort()).toEqual(["one", "two"]);
  for (const layer of layers) {
    const descriptor = { digest: sha256(layer), size: layer.length };
    expect(sha256(await buffer(client.getBlob("team/app", descriptor)))).toBe(descriptor.digest);
  }
});
