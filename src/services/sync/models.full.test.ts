import { createCipheriv } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { folderOfTest } from "../../git/testdata/git-repository.ts";
import { pushModel } from "../../models/push.ts";
import { placeOfModel } from "../../models/registry.ts";
import { openRegistry } from "../../registry/client/open.ts";
import { serverOfTest } from "../../registry-server/testdata/fixture.ts";
import { modelFolder } from "../content.ts";
import { ModelSync } from "./models.ts";
import { Volume } from "./volume.ts";

const MiB = 2 ** 20;

/** Bytes that no compression makes less, other ones for each seed. */
function noise(size: number, seed: number): Buffer {
  const key = Buffer.alloc(32);
  key.writeUInt32BE(seed);
  return createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(size));
}

/** Bytes of all bodies, and requests. */
interface Traffic {
  readonly requests: number;
  readonly received: number;
  readonly sent: number;
}

// What a person pays for: a version of a model that differs in one small part.
it("moves 1 MiB where one file of 1 MiB in 1 GiB changed", { timeout: 600_000 }, async () => {
  const { paths, host } = await serverOfTest();
  const client = openRegistry(host, { embedded: { socketPath: paths.socket } });
  onTestFinished(() => client.close());
  const place = placeOfModel({ client, host, place: (name) => name }, "large");
  const source = folderOfTest();
  // 1 GiB: 63 files of 16 MiB and 16 of 1 MiB.
  for (let index = 0; index < 63; index++) writeFileSync(join(source, `shard-${index}.bin`), noise(16 * MiB, index));
  for (let index = 0; index < 16; index++) writeFileSync(join(source, `head-${index}.bin`), noise(MiB, 100 + index));
  const volume = await Volume.open(folderOfTest());

  let counted = 0;
  const traffic = (): Traffic => {
    const lines = readFileSync(paths.requests, "utf8").trim().split("\n");
    const all = lines.slice(counted).map((line) => JSON.parse(line) as { received: number; sent: number });
    counted = lines.length;
    const sum = (key: "received" | "sent") => all.reduce((total, line) => total + line[key], 0);
    return { requests: all.length, received: sum("received"), sent: sum("sent") };
  };
  const push = async () => {
    const { digest, size } = await pushModel(place, { folder: source, name: "large" });
    expect(size).toBe(1024 * MiB);
    return { digest, moved: traffic() };
  };
  const sync = async (digest: Awaited<ReturnType<typeof push>>["digest"]) => {
    const reference = { registry: host, repository: "models/large", digest };
    await new ModelSync(volume, client, reference, () => {}).run();
    return { moved: traffic(), folder: volume.path(modelFolder(reference)) };
  };

  const first = await push();
  const firstSync = await sync(first.digest);
  writeFileSync(join(source, "head-7.bin"), noise(MiB, 1000));
  const second = await push();
  const secondSync = await sync(second.digest);
  const again = await push();
  process.stdout.write(
    `${JSON.stringify({ push: [first.moved, second.moved, again.moved], sync: [firstSync.moved, secondSync.moved] })}\n`,
  );

  expect(readFileSync(join(secondSync.folder, "head-7.bin")).equals(noise(MiB, 1000))).toBe(true);
  expect(readFileSync(join(firstSync.folder, "head-7.bin")).equals(noise(MiB, 107))).toBe(true);
  const all = ({ received, sent }: Traffic) => received + sent;
  expect(all(first.moved)).toBeGreaterThan(1024 * MiB);
  expect(all(firstSync.moved)).toBeGreaterThan(1024 * MiB);
  // A twentieth is for what says which files there are.
  expect(all(second.moved)).toBeLessThan(1.05 * MiB);
  expect(all(secondSync.moved)).toBeLessThan(1.05 * MiB);
  expect(again.moved.received).toBe(0);
});
