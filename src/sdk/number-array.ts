const types = {
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

type TypedArray = InstanceType<(typeof types)[keyof typeof types]>;

/** An array of numbers with more than one dimension, as numpy has them. Rows are one after the other. */
export class NumberArray {
  /** Length in each dimension. */
  readonly shape: readonly number[];
  readonly data: TypedArray;

  /** @throws RangeError if `data` has another number of members than `shape` */
  constructor(shape: readonly number[], data: TypedArray) {
    const count = shape.reduce((product, length) => product * length, 1);
    if (count !== data.length)
      throw new RangeError(`an array of shape ${shape.join("×")} has not ${data.length} members`);
    this.shape = shape;
    this.data = data;
  }
}

/** Name of the type in docs/worker-protocol.md; `bytes` for Uint8Array. Undefined: it is no such array. */
export function arrayTypeOf(value: object): string | undefined {
  if (value instanceof Uint8Array) return "bytes";
  return Object.entries(types).find(([, type]) => value instanceof type)?.[0];
}

/** Undefined: another process sent something else. */
export function arrayOf(type: unknown, shape: unknown, bytes: Uint8Array): TypedArray | NumberArray | undefined {
  if (typeof type !== "string" || !Object.hasOwn(types, type) || !Array.isArray(shape)) return undefined;
  const Type = types[type as keyof typeof types];
  const count = shape.reduce(
    (product, length) => product * (Number.isSafeInteger(length) && length >= 0 ? length : Number.NaN),
    1,
  );
  if (count * Type.BYTES_PER_ELEMENT !== bytes.length) return undefined;
  // A copy, because the bytes may begin anywhere.
  const data = new Type(new Uint8Array(bytes).buffer);
  return shape.length === 1 ? data : new NumberArray(shape, data);
}
