import { UserError } from "../core/errors.ts";
import { type Compression, layerMediaTypes } from "../layer/compression.ts";
import type { Arguments } from "./arguments.ts";

/** The value of `--compression`. @throws UserError if it is unknown */
export function compressionOption(options: Arguments): Compression {
  const value = options.one("compression");
  if (Object.hasOwn(layerMediaTypes, value)) return value as Compression;
  throw new UserError(`--compression=${value} is not known.`, `Give ${Object.keys(layerMediaTypes).join(", ")}.`);
}
