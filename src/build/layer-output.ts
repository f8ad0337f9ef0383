import { type Compression, layerMediaTypes } from "../layer/compression.ts";
import { type LayerOptions, writeLayer } from "../layer/write.ts";
import { formatLayerMetadata } from "../oci/layer.ts";
import { formatLayerPackages, PackageFinder } from "../sbom/layer-packages.ts";
import { type Arguments, argumentError } from "./arguments.ts";
import type { Context } from "./context.ts";
import { writeFiles } from "./files.ts";

export const layerOptions = ["output", "metadata", "packages", "compression", "comment"] as const;

export async function writeLayerFiles(
  options: Arguments,
  context: Context,
  layer: Pick<LayerOptions, "entries" | "native">,
): Promise<void> {
  const comment = options.optional("comment");
  const packages = options.optional("packages");
  const finder = packages === undefined ? undefined : new PackageFinder();
  const metadata = await writeLayer({
    ...layer,
    ...(finder ? { look: (file) => finder.look(file) } : {}),
    output: options.output("output"),
    compression: compressionOf(options),
    ...(comment === undefined ? {} : { comment }),
    ...(context.cache ? { cache: context.cache } : {}),
    signal: context.signal,
  });
  const files = new Map([[options.output("metadata"), formatLayerMetadata(metadata)]]);
  if (packages !== undefined && finder) files.set(options.resolve(packages), formatLayerPackages(finder.found()));
  writeFiles(files);
}

function compressionOf(options: Arguments): Compression {
  const value = options.one("compression");
  if (Object.hasOwn(layerMediaTypes, value)) return value as Compression;
  throw argumentError(
    "--compression",
    `--compression=${value} is not known.`,
    `Write ${Object.keys(layerMediaTypes).join(", ")}.`,
  );
}
