import type { ByteReader } from "./byte-reader.ts";

const frameMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;

interface Frame {
  /** Bytes that a decompressor keeps in memory. */
  readonly window: number;
  readonly bytes: AsyncIterable<Buffer>;
}

/** RFC 8878, section 3: Node takes one frame. Read it to its end before the next. @throws RangeError if invalid */
export async function* zstdFrames(reader: ByteReader): AsyncGenerator<Frame> {
  for (;;) {
    const start = await reader.upTo(4);
    if (start.length === 0) return;
    const magic = start.length === 4 ? start.readUInt32LE() : 0;
    if ((magic & 0xfffffff0) === skippableMagic) {
      const size = (await exactly(reader, 4)).readUInt32LE();
      for await (const _ of reader.pass(size));
    } else if (magic === frameMagic) {
      yield await frame(reader, start);
    } else {
      throw new RangeError(`there is no zstd frame at byte ${reader.position - start.length}`);
    }
  }
}

async function frame(reader: ByteReader, magic: Buffer): Promise<Frame> {
  const descriptor = await exactly(reader, 1);
  const flags = descriptor[0] ?? 0;
  const isSingleSegment = (flags & 0x20) !== 0;
  const contentSize = [isSingleSegment ? 1 : 0, 2, 4, 8][flags >> 6] ?? 0;
  const dictionary = [0, 1, 2, 4][flags & 3] ?? 0;
  const rest = await exactly(reader, (isSingleSegment ? 0 : 1) + dictionary + contentSize);
  const [exponent, eighths] = [(rest[0] ?? 0) >> 3, (rest[0] ?? 0) & 7];
  const window = isSingleSegment
    ? rest.readUIntLE(dictionary, Math.min(contentSize, 6))
    : 2 ** (10 + exponent) * (1 + eighths / 8);
  return { window, bytes: blocks(reader, Buffer.concat([magic, descriptor, rest]), (flags & 0x04) !== 0) };
}

async function* blocks(reader: ByteReader, header: Buffer, hasChecksum: boolean): AsyncGenerator<Buffer> {
  yield header;
  for (let isLast = false; !isLast; ) {
    const head = await exactly(reader, 3);
    const word = head.readUIntLE(0, 3);
    isLast = (word & 1) === 1;
    const isRepeatedByte = ((word >> 1) & 3) === 1;
    yield head;
    yield* reader.pass(isRepeatedByte ? 1 : word >> 3);
  }
  if (hasChecksum) yield await exactly(reader, 4);
}

async function exactly(reader: ByteReader, count: number): Promise<Buffer> {
  const bytes = await reader.upTo(count);
  if (bytes.length < count) throw new RangeError(`the zstd stream is cut short at byte ${reader.position}`);
  return bytes;
}
