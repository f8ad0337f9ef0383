import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FileView, viewOf } from "../layer/file-view.ts";
import { executablePackages, rustCrates } from "./executable.ts";

const view = (path: string, bytes: Buffer): FileView =>
  viewOf(path, bytes.length, (target, at) => bytes.copy(target, 0, at));
const bazelisk = fileURLToPath(import.meta.resolve("@bazel/bazelisk/bazelisk-linux_amd64"));

/** A 64-bit ELF file with one section. */
function elf(name: string, content: Buffer): Buffer {
  const names = Buffer.from(`\0${name}\0.names\0`);
  const header = Buffer.alloc(64);
  header.writeUInt32BE(0x7f454c46);
  header.set([2, 1], 4);
  const sections = [
    { name: 1, offset: 64, size: content.length },
    { name: name.length + 2, offset: 64 + content.length, size: names.length },
  ].map((section) => {
    const entry = Buffer.alloc(64);
    entry.writeUInt32LE(section.name, 0);
    entry.writeBigUInt64LE(BigInt(section.offset), 24);
    entry.writeBigUInt64LE(BigInt(section.size), 32);
    return entry;
  });
  header.writeBigUInt64LE(BigInt(64 + content.length + names.length), 40);
  header.writeUInt16LE(64, 58);
  header.writeUInt16LE(sections.length, 60);
  header.writeUInt16LE(1, 62);
  return Buffer.concat([header, content, names, ...sections, Buffer.alloc(20_000)]);
}

const listed = (packages: unknown) => elf(".dep-v0", deflateSync(JSON.stringify({ packages })));

const uvarint = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...uvarint(value >> 7)]);
const goText = (text: string) => Buffer.concat([Buffer.from(uvarint(text.length)), Buffer.from(text)]);
/** The build information of Go: sixteen bytes are around the list of modules. */
function built(version: string, lines: readonly string[]): Buffer {
  const head = Buffer.alloc(32);
  head.write("\xff Go buildinf:\x08\x02", "latin1");
  const mark = "0".repeat(16);
  return elf(".go.buildinfo", Buffer.concat([head, goText(version), goText(`${mark}${lines.join("\n")}\n${mark}`)]));
}

describe("an executable", () => {
  it("of Go tells its standard library", () => {
    const program = view("usr/bin/bazelisk", readFileSync(bazelisk));
    expect(executablePackages(program)).toEqual([{ type: "golang", name: "stdlib", version: "1.24.0" }]);
  });

  it("of Go tells its modules, replaced ones as they are", () => {
    const long = `example.com/${"long/".repeat(40)}x`;
    const lines = [
      "path\texample.com/app/cmd",
      "mod\texample.com/app\t(devel)\t",
      "dep\texample.com/a\tv1.0.0\th1:a=",
      "dep\texample.com/fork\tv1.0.0",
      "=>\texample.com/b\tv1.1.0\th1:b=",
      "dep\texample.com/here\tv1.2.0",
      "=>\t./here\t",
      `dep\t${long}\tv0.0.0-2024\th1:c=`,
      "build\tCGO_ENABLED=0",
    ];
    const modules = executablePackages(view("app", built("go1.26.1 X:experiment", lines)));
    expect(modules.map(({ name, version }) => `${name}@${version}`)).toEqual([
      "stdlib@1.26.1",
      "example.com/a@v1.0.0",
      "example.com/b@v1.1.0",
      "example.com/here@v1.2.0",
      `${long}@v0.0.0-2024`,
    ]);
  });

  it("of Node tells its version", () => {
    const program = readFileSync(process.execPath);
    const version = spawnSync(process.execPath, ["--version"], { encoding: "utf8" }).stdout.trim().slice(1);
    expect(executablePackages(view("app/node", program))).toEqual([
      { type: "generic", name: "node", version, cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*` },
    ]);
    expect(executablePackages(view("app/other", program))).toEqual([]);
  });

  it("of Rust tells the crates that are in it", () => {
    const source = "registry";
    const file = listed([
      { name: "serde", version: "1.0.0", source },
      { name: "app", version: "0.1.0", source: "local", root: true },
      { name: "cc", version: "1.2.0", source, kind: "build" },
    ]);
    expect(executablePackages(view("app", file))).toEqual([{ type: "cargo", name: "serde", version: "1.0.0" }]);
  });

  it("with a list that is none has no packages", () => {
    for (const packages of [undefined, null, 1, [null, 1, { name: "a" }, {}]]) {
      expect(executablePackages(view("app", listed(packages)))).toEqual([]);
    }
    expect(rustCrates(Buffer.from("no zlib"))).toEqual([]);
  });

  it("that is cut short or changed is read without an error", () => {
    const files = [
      listed([{ name: "a", version: "1" }]),
      elf(".go.buildinfo", Buffer.from("\xff Go buildinf:\x08\x02", "latin1")),
    ];
    fc.assert(
      fc.property(fc.constantFrom(...files), fc.nat(), fc.nat(), fc.nat(255), (whole, end, at, byte) => {
        const file = Buffer.concat([whole.subarray(0, end % whole.length), Buffer.alloc(17_000)]);
        file[at % 300] = byte;
        executablePackages(view("app", file));
      }),
    );
  });
});
