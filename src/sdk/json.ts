import type { FileValue } from "./files.ts";
import type { NumberArray } from "./number-array.ts";

/**
 * Values that functions take and return. Declare object types with `type`, not `interface`: TypeScript does not accept
 * an interface here.
 */
export type Json =
  | null
  | boolean
  | number
  | bigint
  | string
  | Date
  | ArrayBufferView
  | NumberArray
  | FileValue
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };
