import { mkdirSync, writeFileSync } from "node:fs";
import type * as promises from "node:fs/promises";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { userErrorWith } from "../../core/testdata/reported.ts";
import { folderOfTest } from "../../git/testdata/git-repository.ts";
import { pushModel } from "../../models/push.ts";
import { placeOfModel } from "../../models/registry.ts";
import { sha256, splitDigest } from "../../oci/digest.ts";
import { open, registry, useRegistry } from "../../registry/client/testdata/harness.ts";
import { syncModels } from "./models.ts";

useRegistry();

/** Bytes that the volume has room for. */
const room = 1000;

vi.mock("node:fs/promises", async (original) => ({
  ...(await original<typeof promises>()),
  statfs: async () => ({ bavail: room, bsize: 1 }),
}));

it("needs no room for what an earlier attempt has brought in", async () => {
  const [folder, volume] = [folderOfTest(), folderOfTest()];
  const bytes = Buffer.alloc(3 * room, "x");
  writeFileSync(join(folder, "weights"), bytes);
  const place = placeOfModel({ client: open(), host: registry.host, place: (name) => name }, "iris");
  const { digest } = await pushModel(place, { folder, name: "iris" });
  const args = [`--volume=${volume}`, `--model=${registry.host}/models/iris@${digest}`];
  await expect(syncModels(args)).rejects.toThrow(userErrorWith("file-unwritable", volume));
  mkdirSync(join(volume, "partial"));
  writeFileSync(join(volume, "partial", splitDigest(sha256(bytes)).hex), bytes.subarray(0, 2 * room));
  await syncModels(args);
});
