/** Remote Execution API v2 and ByteStream as far as a reader of blobs needs them, in Protocol Buffers' wire format. */

import { type Digest, splitDigest } from "../oci/digest.ts";
import type { BlobId } from "./store.ts";

/** `google.bytestream.ReadRequest`: `resource_name` and `read_offset`. */
export function readRequest(resource: string, offset: number): Buffer {
  return Buffer.concat([bytesField(1, resource), numberField(2, offset)]);
}

/** `google.bytestream.ReadResponse`: `data`. */
export function readResponse(message: Uint8Array): Uint8Array {
  return last(message, 10) ?? new Uint8Array();
}

/** `FindMissingBlobsRequest`: `instance_name` and `blob_digests`. */
export function missingRequest(instance: string, blobs: readonly BlobId[]): Buffer {
  const digests = blobs.map(({ digest, size }) =>
    bytesField(2, Buffer.concat([bytesField(1, splitDigest(digest).hex), numberField(2, size)])),
  );
  return Buffer.concat([bytesField(1, instance), ...digests]);
}

/** `FindMissingBlobsResponse`: `missing_blob_digests`. */
export function missingResponse(message: Uint8Array): Set<Digest> {
  const digests = fields(message).filter(({ number, bytes }) => number === 2 && bytes);
  return new Set(
    digests.map(({ bytes }): Digest => `sha256:${Buffer.from(last(bytes as Uint8Array, 1) ?? []).toString("latin1")}`),
  );
}

/** `GetCapabilitiesRequest`: `instance_name`. */
export function capabilitiesRequest(instance: string): Buffer {
  return bytesField(1, instance);
}

/** `ServerCapabilities`: the numbers of `cache_capabilities.digest_functions`. */
export function digestFunctions(message: Uint8Array): number[] {
  const cache = last(message, 1) ?? new Uint8Array();
  return fields(cache)
    .filter(({ number }) => number === 1)
    .flatMap(({ value, bytes }) => (bytes ? varints(bytes) : [value]));
}

interface Field {
  readonly number: number;
  /** Of type 0. */
  readonly value: number;
  /** Of type 2. */
  readonly bytes?: Uint8Array;
}

/** @throws RangeError if it is cut short or has a group, which version 3 does not have */
function fields(message: Uint8Array): Field[] {
  const found: Field[] = [];
  const reader = new Reader(message);
  while (reader.rest > 0) {
    const tag = reader.varint();
    const number = Math.floor(tag / 8);
    const type = tag % 8;
    if (type === 0) found.push({ number, value: reader.varint() });
    else if (type === 2) found.push({ number, value: 0, bytes: reader.take(reader.varint()) });
    else if (type === 1 || type === 5) reader.take(type === 1 ? 8 : 4);
    else throw new RangeError(`field ${number} has type ${type}`);
  }
  return found;
}

/** The last field of a number wins. */
function last(message: Uint8Array, wanted: number): Uint8Array | undefined {
  return fields(message).findLast(({ number, bytes }) => number === wanted && bytes)?.bytes;
}

function varints(bytes: Uint8Array): number[] {
  const reader = new Reader(bytes);
  const found: number[] = [];
  while (reader.rest > 0) found.push(reader.varint());
  return found;
}

class Reader {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get rest(): number {
    return this.#bytes.length - this.#position;
  }

  take(count: number): Uint8Array {
    if (count > this.rest) throw new RangeError("the message is cut short");
    this.#position += count;
    return this.#bytes.subarray(this.#position - count, this.#position);
  }

  /** Larger ones than 53 bits lose their lowest bits; no field here has them. */
  varint(): number {
    let value = 0;
    for (let power = 0; power < 10; power++) {
      const byte = this.take(1)[0] as number;
      value += (byte & 127) * 128 ** power;
      if (byte < 128) return value;
    }
    throw new RangeError("a number has more than 64 bits");
  }
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

function numberField(number: number, value: number): Buffer {
  return value === 0 ? Buffer.alloc(0) : Buffer.concat([varint(number * 8), varint(value)]);
}

function bytesField(number: number, value: string | Uint8Array): Buffer {
  const bytes = typeof value === "string" ? Buffer.from(value) : Buffer.from(value);
  return bytes.length === 0 ? bytes : Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}
