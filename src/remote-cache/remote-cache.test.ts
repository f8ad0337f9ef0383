import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { failureWith, userErrorWith } from "../core/testdata/reported.ts";
import { sha256 } from "../oci/digest.ts";
import { RemoteCache } from "./remote-cache.ts";
import { type FakeCache, type Fault, fakeHttpCache } from "./testdata/fake-cache.ts";
import { fakeGrpcCache } from "./testdata/fake-grpc-cache.ts";

/** Each byte says where it is. */
const content = Buffer.from(Uint32Array.from({ length: 75_000 }, (_, at) => at * 2_654_435_761).buffer);
const quick = {
  retry: { attempts: 4, budget: 5_000, firstDelay: 1, maximumDelay: 2, firstContactBudget: 100 },
  silence: 1_000,
};

let folder: string;
let config: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "remote-cache-"));
  config = join(folder, "config.yaml");
  writeFileSync(config, "");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const cacheOf = (address: string) => new RemoteCache(address, { ...process.env, SLIPWAY_CONFIG: config }, quick);

async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe.each([
  ["HTTP", fakeHttpCache],
  ["gRPC", fakeGrpcCache],
] as const)("a cache by %s", (kind, start) => {
  let fake: FakeCache;
  let cache: RemoteCache;
  beforeEach(async () => {
    fake = await start();
    cache = cacheOf(fake.address);
  });
  afterEach(async () => {
    await cache.close();
    await fake.stop();
  });
  const offsets = () => fake.log.map((each) => Number(each.split(" ").at(-1)));

  it("gives blobs and parts of them", async () => {
    const blob = fake.add(content);
    expect((await bytesOf(cache.open(blob, 0, blob.size))).equals(content)).toBe(true);
    for (const [from, to] of [
      [0, 1],
      [7, 200_000],
      [299_999, 300_000],
    ] as const) {
      expect((await bytesOf(cache.open(blob, from, to))).equals(content.subarray(from, to))).toBe(true);
    }
    fake.ignoresRanges = true;
    expect((await bytesOf(cache.open(blob, 7, 9))).equals(content.subarray(7, 9))).toBe(true);
  });

  it("says which blobs it lacks", async () => {
    const [one, two, three] = ["1", "2", "3"].map((text) => fake.add(Buffer.from(text)));
    if (!one || !two || !three) throw new Error("three blobs");
    fake.remove(two);
    expect(await cache.missing([one, two, three])).toEqual([two]);
    expect(await cache.missing([])).toEqual([]);
    if (kind === "gRPC") expect(fake.log).toEqual(["MISSING", "MISSING"]);
  });

  it.each([0, 1, 65_536, 299_999])("continues where a stream breaks off, after %d bytes", async (after) => {
    const blob = fake.add(content);
    fake.faults.push({ after, how: "cut" }, { after: 0, how: "fail" });
    expect((await bytesOf(cache.open(blob, 0, blob.size))).equals(content)).toBe(true);
    // HTTP may lose what was underway when the connection broke.
    expect(offsets()[0]).toBe(0);
    expect(Math.max(...offsets())).toBeLessThanOrEqual(after);
    if (kind === "gRPC") expect(Math.max(...offsets())).toBe(after);
  });

  const faults: Fault["how"][] = ["cut", "end", "more", "damage", "hang", "refuse", "fail", "range"];
  it.each(faults)("gives the right bytes or an error: %s", async (how) => {
    const blob = fake.add(content);
    for (const after of [0, 1, 123_456, 299_999]) {
      fake.faults.splice(0, Number.POSITIVE_INFINITY, { after, how });
      const outcome = await bytesOf(cache.open(blob, 0, blob.size)).catch((error) => error);
      if (!Buffer.isBuffer(outcome))
        expect(outcome).toEqual((how === "refuse" ? userErrorWith : failureWith)("remote-cache-failed", fake.host));
      else expect(outcome.equals(content)).toBe(true);
      // Passing faults are tried again; damage and refusals are not.
      const passes = ["cut", "end", "hang", "fail"].includes(how);
      expect(Buffer.isBuffer(outcome)).toBe(passes);
    }
  });

  it("never gives all bytes of a damaged blob", async () => {
    const blob = fake.add(content);
    fake.faults.push({ after: 5, how: "damage" });
    let received = 0;
    const read = async () => {
      for await (const chunk of cache.open(blob, 0, blob.size)) received += chunk.length;
    };
    await expect(read()).rejects.toThrow(failureWith("remote-cache-failed", fake.host));
    expect(received).toBeLessThan(blob.size);
  });

  it("gives up when it gets no further", async () => {
    const blob = fake.add(content);
    for (let count = 0; count < 9; count++) fake.faults.push({ after: 0, how: "fail" });
    const reading = bytesOf(cache.open(blob, 0, blob.size));
    await expect(reading).rejects.toThrow(failureWith("remote-cache-failed", fake.host));
    expect(fake.log.length).toBe(4);
  });

  it("is told apart from one that has lost a blob", async () => {
    const blob = fake.add(content);
    fake.remove(blob);
    const reading = bytesOf(cache.open(blob, 0, blob.size));
    await expect(reading).rejects.toThrow(failureWith("layer-evicted", fake.host));
  });

  it("does not answer", async () => {
    await fake.stop();
    await expect(cache.missing([{ digest: sha256("x"), size: 1 }])).rejects.toThrow(
      failureWith("remote-cache-failed", fake.host),
    );
  });

  it("gets header fields of the configuration and of a credential helper, and no error shows them", async () => {
    writeFileSync(join(folder, "key"), "from-a-file\n");
    const helper = join(folder, "helper");
    writeFileSync(
      helper,
      `#!/bin/sh\ncat > ${folder}/asked\necho '{"headers": {"authorization": ["Bearer s3cret"]}}'\n`,
      {
        mode: 0o755,
      },
    );
    const headers = "{x-api-key: {file: key}, x-team: {env: TEAM_KEY}}";
    writeFileSync(config, `remoteCaches:\n  ${fake.host}: {headers: ${headers}, credentialHelper: ${helper}}\n`);
    const env = { ...process.env, SLIPWAY_CONFIG: config, TEAM_KEY: "from-env" };
    cache = new RemoteCache(fake.address, env, quick);
    const blob = fake.add(content);
    await bytesOf(cache.open(blob, 0, blob.size));
    await cache.missing([blob]);
    for (const fields of fake.headers) {
      expect(fields).toMatchObject({
        "x-api-key": "from-a-file",
        "x-team": "from-env",
        authorization: "Bearer s3cret",
      });
    }
    fake.faults.push({ after: 0, how: "refuse" });
    const error: Error = await bytesOf(cache.open(blob, 0, blob.size)).catch((caught) => caught);
    expect(error).toEqual(userErrorWith("remote-cache-failed", fake.host));
    expect(error.message).not.toMatch(/s3cret|from-/);
  });
});

describe("a cache by gRPC", () => {
  it("that knows no SHA-256 has nothing for images", async () => {
    const fake = await fakeGrpcCache();
    const cache = cacheOf(fake.address);
    try {
      fake.digestFunctions = [9];
      const asking = cache.missing([{ digest: sha256("x"), size: 1 }]);
      await expect(asking).rejects.toThrow(/--digest_function=sha256/);
    } finally {
      await cache.close();
      await fake.stop();
    }
  });
});

describe("a disk cache", () => {
  it("gives blobs, and says which it lacks", async () => {
    const digest = sha256(content);
    const hex = digest.slice(7);
    mkdirSync(join(folder, "cas", hex.slice(0, 2)), { recursive: true });
    const path = join(folder, "cas", hex.slice(0, 2), hex);
    writeFileSync(path, content);
    const cache = cacheOf(folder);
    const blob = { digest, size: content.length };
    expect((await bytesOf(cache.open(blob, 0, blob.size))).equals(content)).toBe(true);
    expect((await bytesOf(cache.open(blob, 3, 8))).equals(content.subarray(3, 8))).toBe(true);
    const other = { digest: sha256("other"), size: 5 };
    expect(await cache.missing([blob, other])).toEqual([other]);
    await expect(bytesOf(cache.open(other, 0, 5))).rejects.toThrow(failureWith("layer-evicted", folder));
    writeFileSync(path, Buffer.from(content).fill(0, 9, 10));
    await expect(bytesOf(cache.open(blob, 0, blob.size))).rejects.toThrow(failureWith("remote-cache-failed", folder));
  });
});
