import { Readable, type Transform } from "node:stream";
import { header } from "../../layer/header.ts";

/** Compresses a tar of any size as it is made. */
export async function compressedTar(tar: Iterable<Buffer>, compress: Transform): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of Readable.from(tar, { objectMode: false }).pipe(compress)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const end = Buffer.alloc(1024);

/** So many empty files in one folder. */
export function* manyFiles(count: number): Generator<Buffer> {
  const template = header({ type: "file", path: "f/00000000", content: { bytes: end } }, 0);
  const sum = template.reduce((all, byte) => all + byte, 0);
  const sumWithout = sum - template.subarray(148, 156).reduce((all, byte) => all + byte, 0);
  for (let at = 0; at < count; at += 2000) {
    const some = Buffer.alloc(Math.min(2000, count - at) * 512);
    for (let index = 0; index * 512 < some.length; index++) {
      const name = (at + index).toString(36).padStart(8, "0");
      const block = some.subarray(index * 512);
      template.copy(block);
      block.write(name, 2, "latin1");
      // Eight spaces stand for the checksum in its own sum.
      let checksum = sumWithout + 8 * 0x20 - 8 * 0x30;
      for (let each = 0; each < 8; each++) checksum += name.charCodeAt(each);
      block.write(`${checksum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
    }
    yield some;
  }
  yield end;
}

/**
 * So many files with paths of 80 characters, as installed packages have them: 25 in a folder, each tenth of 100
 * bytes.
 */
export function* ordinaryFiles(count: number, first = 0): Generator<Buffer> {
  const content = Buffer.alloc(100, "x");
  const padded = Buffer.concat([content], 512);
  for (let at = first; at < first + count; at += 1000) {
    const some = Array.from({ length: Math.min(1000, first + count - at) }, (_, index) => {
      const [file, folder] = [at + index, Math.floor((at + index) / 25)];
      const path = `usr/local/lib/python3.12/site-packages/package_${folder % 500}/part_${folder}/module_name_${file}.py`;
      const isEmpty = file % 10 !== 0;
      const block = header({ type: "file", path, content: { bytes: content } }, isEmpty ? 0 : content.length);
      return isEmpty ? block : Buffer.concat([block, padded]);
    });
    yield Buffer.concat(some);
  }
  yield end;
}

/** So many paths of a thousand folders, each below a folder of its own: the tar names none of them. */
export function* deepFolders(paths: number): Generator<Buffer> {
  const below = "/d".repeat(1000);
  for (let at = 0; at < paths; at++) {
    yield header({ type: "file", path: `${at.toString(36)}${below}/f`, content: { bytes: end } }, 0);
  }
  yield end;
}

export function* zeros(bytes: number): Generator<Buffer> {
  const chunk = Buffer.alloc(1 << 20);
  for (let at = 0; at < bytes; at += chunk.length) yield chunk;
}
