import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import type { TarEntry } from "./entry.ts";
import { blockSize, header, paddingOf } from "./header.ts";

const directory = (path: string): TarEntry => ({ type: "directory", path });
const file = (path: string): TarEntry => ({ type: "file", path, content: { bytes: new Uint8Array() } });
const symlink = (path: string, target: string): TarEntry => ({ type: "symlink", path, target });

/** A text field of a header's last block. */
function field(bytes: Buffer, offset: number, length: number): string {
  const text = bytes.subarray(-blockSize).toString("latin1", offset, offset + length);
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}

/** The PAX records before a header; none when it has no extended header. */
function records(bytes: Buffer): Record<string, string> {
  const found: Record<string, string> = {};
  if (bytes.length === blockSize) return found;
  let rest = bytes.subarray(blockSize, blockSize + Number.parseInt(bytes.toString("latin1", 124, 135), 8));
  while (rest.length > 0) {
    const length = Number.parseInt(rest.toString("latin1", 0, 20), 10);
    const [, key, value] = /^\d+ ([^=]*)=(.*)\n$/s.exec(rest.subarray(0, length).toString()) ?? [];
    found[key ?? "malformed"] = value ?? "";
    rest = rest.subarray(length);
  }
  return found;
}

describe("header", () => {
  it("is one ustar block where ustar can say it", () => {
    const bytes = header(file("app/main.js"), 1234);
    expect(bytes).toHaveLength(blockSize);
    expect(field(bytes, 0, 100)).toBe("app/main.js");
    expect(field(bytes, 100, 8)).toBe("0000755");
    expect(field(bytes, 108, 8)).toBe("0000000");
    expect(field(bytes, 116, 8)).toBe("0000000");
    expect(field(bytes, 124, 12)).toBe("00000002322");
    expect(field(bytes, 136, 12)).toBe("00000000000");
    expect(field(bytes, 156, 1)).toBe("0");
    expect(bytes.toString("latin1", 257, 265)).toBe("ustar\x0000");
  });

  it("carries the sum of its bytes, its own field counted as spaces", () => {
    const bytes = header(symlink("app/run", "main.js"), 0);
    const stated = Number.parseInt(field(bytes, 148, 8), 8);
    bytes.fill(" ", 148, 156);
    expect(stated).toBe(bytes.reduce((sum, byte) => sum + byte, 0));
  });

  it("ends the name of a directory with a slash", () => {
    expect(field(header(directory("app"), 0), 0, 100)).toBe("app/");
  });

  it("splits a long path at a slash", () => {
    const bytes = header(file(`${"d".repeat(155)}/${"n".repeat(100)}`), 0);
    expect(bytes).toHaveLength(blockSize);
    expect(field(bytes, 345, 155)).toBe("d".repeat(155));
    expect(field(bytes, 0, 100)).toBe("n".repeat(100));
  });

  it.each([
    ["a name over 100 bytes", file("n".repeat(101)), "n".repeat(101)],
    ["a folder over 155 bytes", file(`${"d".repeat(156)}/n`), `${"d".repeat(156)}/n`],
    ["a directory whose only fitting slash is its last", directory("d".repeat(100)), `${"d".repeat(100)}/`],
    ["a name outside ASCII", file("app/grüße.txt"), "app/grüße.txt"],
  ])("writes %s as a PAX record", (_case, entry, path) => {
    expect(records(header(entry, 0))).toEqual({ path });
  });

  it("writes what else ustar cannot say as PAX records", () => {
    const long = "t".repeat(101);
    expect(records(header(symlink("l", long), 0))).toEqual({ linkpath: long });
    expect(records(header(symlink("l", "t".repeat(100)), 0))).toEqual({});
    expect(records(header(file("big"), 8 * 2 ** 30))).toEqual({ size: "8589934592" });
    expect(records(header(file("big"), 8 * 2 ** 30 - 1))).toEqual({});
    expect(records(header({ ...file("owned"), uid: 2097152, gid: 3000000 }, 0))).toEqual({
      uid: "2097152",
      gid: "3000000",
    });
  });

  it("keeps every path and target, whatever they are", () => {
    const text = fc.string({ unit: "binary", minLength: 1, maxLength: 300 }).filter((value) => !value.includes("\0"));
    fc.assert(
      fc.property(text, text, (path, target) => {
        const bytes = header(symlink(path, target), 0);
        const extended = records(bytes);
        const prefix = field(bytes, 345, 155);
        expect(extended["path"] ?? (prefix ? `${prefix}/` : "") + field(bytes, 0, 100)).toBe(path);
        expect(extended["linkpath"] ?? field(bytes, 157, 100)).toBe(target);
        expect(bytes.length % blockSize).toBe(0);
      }),
    );
  });

  it("refuses an owner that is no number of a user", () => {
    expect(() => header({ ...file("x"), uid: -1 }, 0)).toThrow(userErrorWith("field-invalid", "uid"));
  });
});

describe("paddingOf", () => {
  it("fills the last block", () => {
    expect([0, 1, 511, 512, 513].map(paddingOf)).toEqual([0, 511, 1, 0, 511]);
  });
});
