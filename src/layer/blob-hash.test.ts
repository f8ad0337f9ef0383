import { createHash } from "node:crypto";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { failureWith } from "../core/testdata/reported.ts";
import { BlobHash, worthThread } from "./blob-hash.ts";
import { writeFully } from "./output.ts";
import { randomBytes } from "./testdata/content.ts";

const random = randomBytes(1 << 20);
const sha256 = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hash-"));
  path = join(folder, "blob");
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Calls `use` with a hash of an empty file and a function that adds bytes to both. */
async function hashing<Result>(
  use: (hash: BlobHash, add: (bytes: Uint8Array) => void) => Result,
  flags = "w+",
): Promise<Awaited<Result>> {
  const fd = openSync(path, flags);
  const hash = new BlobHash(path, fd);
  try {
    return await use(hash, (bytes) => {
      writeFully(fd, bytes);
      hash.update(bytes);
    });
  } finally {
    await hash.close();
    closeSync(fd);
  }
}

const threads = () => process.getActiveResourcesInfo().filter((name) => name === "MessagePort").length;

describe("the hash of a blob", () => {
  it("is the same with a thread, whenever it starts, and without", async () => {
    const piece = fc
      .tuple(fc.nat(100), fc.nat(random.length))
      .map(([from, size]) => random.subarray(from, from + size));
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 6 }), fc.nat(7), async (pieces, start) => {
        const digest = await hashing((hash, add) => {
          for (const [index, bytes] of pieces.entries()) {
            if (index === start) hash.expect(worthThread);
            add(bytes);
          }
          return hash.digest();
        });
        expect(digest).toBe(sha256(Buffer.concat(pieces)));
      }),
      { numRuns: 20 },
    );
  });

  it("needs no thread for few bytes, or after many others", async () => {
    const before = threads();
    await hashing((hash) => {
      hash.expect(worthThread - 1);
      expect(threads()).toBe(before);
      hash.update(Buffer.alloc(worthThread));
      hash.expect(2 * worthThread - 1);
      expect(threads()).toBe(before);
      hash.expect(2 * worthThread);
      hash.expect(2 * worthThread);
      expect(threads()).toBe(before + 1);
    });
    expect(threads()).toBe(before);
  });

  it.each([
    ["cannot be read", "w", () => {}, "EBADF"],
    ["becomes shorter", "w+", () => writeFileSync(path, ""), "became shorter"],
  ])("names a file that %s", async (_how, flags, change, problem) => {
    const failed = hashing(async (hash, add) => {
      add(random);
      change();
      hash.expect(worthThread);
      hash.update(random);
      return await hash.digest();
    }, flags);
    await expect(failed).rejects.toThrow(failureWith("file-unreadable", path));
    await expect(failed).rejects.toThrow(problem);
  });
});
