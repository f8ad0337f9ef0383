import { type Compression, layerMediaTypes } from "../layer/compression.ts";
import { type Arguments, argumentError } from "./arguments.ts";

/** The value of `--compression`. @throws UserError if it is unknown */
export function compressionOption(options: Arguments): Compression {
  const value = options.one("compression");
  if (Object.hasOwn(layerMediaTypes, value)) return value as Compression;
  throw argumentError(
    "--compression",
    `--compression=${value} is not known.`,
    `Write ${Object.keys(layerMediaTypes).join(", ")}.`,
  );
}
