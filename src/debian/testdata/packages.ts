import { gzipSync, zstdCompressSync } from "node:zlib";
import { header } from "../../layer/header.ts";

/** A file of a package that is made for a test. */
export interface TestFile {
  readonly path: string;
  readonly type?: "file" | "directory" | "symlink" | "hardlink";
  readonly content?: string | Buffer;
  readonly target?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

/** A tar with paths as dpkg-deb writes them: `./usr/bin/a`. */
export function testTar(files: readonly TestFile[]): Buffer {
  const blocks: Buffer[] = [];
  for (const { path, type = "file", content = "", target = "", mode = 0o644, uid = 0, gid = 0 } of files) {
    const bytes = type === "file" ? Buffer.from(content) : Buffer.alloc(0);
    const common = { path: `./${path}`, mode, uid, gid };
    const entry =
      type === "file"
        ? { ...common, type, content: { bytes } }
        : type === "directory"
          ? { ...common, type }
          : { ...common, type, target: type === "hardlink" ? `./${target}` : target };
    blocks.push(header(entry, bytes.length), bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512));
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** An ar archive. */
export function testAr(members: Readonly<Record<string, Buffer>>): Buffer {
  const parts: Buffer[] = [Buffer.from("!<arch>\n")];
  for (const [name, bytes] of Object.entries(members)) {
    parts.push(Buffer.from(`${name.padEnd(16)}${"0".padEnd(12)}0     0     100644  ${String(bytes.length).padEnd(10)}\`\n`));
    parts.push(bytes, Buffer.alloc(bytes.length % 2, "\n"));
  }
  return Buffer.concat(parts);
}

const COMPRESS: Readonly<Record<"" | ".gz" | ".zst", (bytes: Buffer) => Buffer>> = {
  "": (bytes) => bytes,
  ".gz": (bytes) => gzipSync(bytes),
  ".zst": (bytes) => zstdCompressSync(bytes),
};

/** A Debian package. `control` holds fields beyond the usual ones, `scripts` files of the control member. */
export function testDeb(
  name: string,
  files: readonly TestFile[],
  options: {
    control?: string;
    scripts?: Readonly<Record<string, string>>;
    compression?: keyof typeof COMPRESS;
  } = {},
): Buffer {
  const { control = "", scripts = {}, compression = ".gz" } = options;
  const text = `Package: ${name}\nVersion: 1.0\nArchitecture: amd64\nMaintainer: A <a@example.org>\n${control}Description: a test\n`;
  const controlFiles = [
    { path: "control", content: text },
    ...Object.entries(scripts).map(([path, content]) => ({ path, content })),
  ];
  return testAr({
    "debian-binary": Buffer.from("2.0\n"),
    [`control.tar${compression}`]: COMPRESS[compression](testTar(controlFiles)),
    [`data.tar${compression}`]: COMPRESS[compression](testTar(files)),
  });
}

/** A little-endian 64-bit ELF shared object with nothing but a dynamic section that names it. */
export function testLibrary(soname: string, machine = 62): Buffer {
  const strings = Buffer.from(`\0${soname}\0`);
  const dynamicAt = 64 + 2 * 56;
  const stringsAt = dynamicAt + 3 * 16;
  const bytes = Buffer.alloc(stringsAt + strings.length);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  bytes.writeUInt16LE(3, 16); // ET_DYN
  bytes.writeUInt16LE(machine, 18);
  bytes.writeBigUInt64LE(64n, 32);
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(2, 56);
  const segment = (index: number, type: number, offset: number, size: number) => {
    const at = 64 + index * 56;
    bytes.writeUInt32LE(type, at);
    bytes.writeBigUInt64LE(BigInt(offset), at + 8);
    bytes.writeBigUInt64LE(BigInt(offset + 0x1000), at + 16);
    bytes.writeBigUInt64LE(BigInt(size), at + 32);
  };
  segment(0, 1, 0, bytes.length);
  segment(1, 2, dynamicAt, 3 * 16);
  const tag = (index: number, name: number, value: number) => {
    bytes.writeBigUInt64LE(BigInt(name), dynamicAt + index * 16);
    bytes.writeBigUInt64LE(BigInt(value), dynamicAt + index * 16 + 8);
  };
  tag(0, 5, stringsAt + 0x1000);
  tag(1, 14, 1);
  bytes.set(strings, stringsAt);
  return bytes;
}
