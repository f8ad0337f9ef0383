import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { checkNative, type NativeCheck, nativePlatform, ownPlatform } from "./native.ts";

function elf(machine: number, bigEndian = false): Buffer {
  const head = Buffer.alloc(64);
  head.write("\x7fELF", "latin1");
  head[5] = bigEndian ? 2 : 1;
  if (bigEndian) head.writeUInt16BE(machine, 18);
  else head.writeUInt16LE(machine, 18);
  return head;
}

function machO(type: number): Buffer {
  const head = Buffer.alloc(32);
  head.writeUInt32LE(0xfeedfacf);
  head.writeUInt32LE(type, 4);
  return head;
}

describe("nativePlatform", () => {
  it.each([
    [elf(62), { os: "linux", architecture: "amd64" }],
    [elf(183), { os: "linux", architecture: "arm64" }],
    [elf(22, true), { os: "linux", architecture: "s390x" }],
    [elf(9999), { os: "linux", architecture: "ELF machine 9999" }],
    [machO(0x0100000c), { os: "darwin", architecture: "arm64" }],
    [Buffer.from("#!/bin/sh\necho hello, hello\n"), undefined],
    [elf(62).subarray(0, 19), undefined],
  ])("reads header %#", (head, expected) => {
    expect(nativePlatform(head)).toEqual(expected);
  });

  it("takes any bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void nativePlatform(Buffer.from(bytes))));
  });

  it("knows the Node that runs this", () => {
    const fd = openSync(process.execPath, "r");
    const head = Buffer.alloc(64);
    readSync(fd, head, 0, 64, 0);
    closeSync(fd);
    expect(nativePlatform(head)).toEqual(ownPlatform());
  });
});

describe("checkNative", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "native-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const amd64 = { os: "linux", architecture: "amd64" };
  const arm64 = { os: "linux", architecture: "arm64" };

  function check(bytes: Buffer, options: Partial<NativeCheck>): void {
    const file = join(folder, "file");
    writeFileSync(file, bytes);
    const fd = openSync(file, "r");
    try {
      checkNative(fd, "app/file", file, { image: arm64, builder: amd64, program: undefined, ...options });
      expect(readFileSync(fd)).toEqual(bytes);
    } finally {
      closeSync(fd);
    }
  }

  it("names a file of the machine that builds", () => {
    expect(() => check(elf(62), {})).toThrow(userErrorWith("platform-mismatch", join(folder, "file")));
    expect(() => check(elf(62), {})).toThrow("is for linux/amd64, but the image is for linux/arm64");
  });

  it.each([
    ["a program for the image", elf(183), {}],
    ["what packages carry for third platforms", elf(243), {}],
    ["what packages carry for other platforms, in an image for the machine that builds", elf(183), { image: amd64 }],
    ["text", Buffer.from("text"), {}],
    ["nothing", Buffer.alloc(0), {}],
  ])("lets %s pass, and leaves its position", (_, bytes, options) => {
    check(bytes, options);
  });

  it("names a program that is not for the image, whatever it is for", () => {
    const program = join(folder, "file");
    expect(() => check(elf(183), { image: amd64, program })).toThrow("which is for linux/arm64");
    expect(() => check(machO(0x01000007), { program })).toThrow("which is for darwin/amd64");
  });
});
