import { mkdirSync, writeFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { join } from "node:path";
import { exitStatusOf, reportOf } from "../../core/errors.ts";
import { reportUncaught } from "../../core/unexpected.ts";
import { splitDigest } from "../../oci/digest.ts";
import { canonicalJson } from "../../oci/json.ts";
import { formatLayerMetadata } from "../../oci/layer.ts";
import { openByName } from "../../registry/open-by-name.ts";
import { type PulledImage, type PullRequest, pullBase } from "./pull.ts";

/**
 * The repository rule of `base_images.pull` runs this file unbuilt, with Node's type stripping.
 *
 *     REQUEST    JSON, see ./pull.ts. Writes a folder per platform into the working directory, and prints
 *                {"registry", "repository", "images": [{"platform", "folder", "layers": [file name]}]}
 */
async function main([request = "{}"]: readonly string[]): Promise<unknown> {
  const { source, images } = await pullBase(JSON.parse(request) as PullRequest, (registry) => openByName(registry));
  return { registry: source.registry, repository: source.repository, images: images.map(write) };
}

function write(image: PulledImage): { platform: string; folder: string; layers: string[] } {
  const { platform } = image;
  // Without dots: `..` is a folder too.
  const folder = platform.replace(/[^A-Za-z0-9-]/g, "_");
  mkdirSync(folder);
  const layers = new Map(
    image.layers.map((layer) => [`${splitDigest(layer.digest).hex}.layer.json`, formatLayerMetadata(layer)]),
  );
  const files: [string, Uint8Array][] = [
    ["manifest.json", image.manifest],
    ["config.json", image.config],
    ["descriptor.json", canonicalJson(image.descriptor)],
    ...layers,
  ];
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
  return { platform, folder, layers: [...layers.keys()] };
}

// Sources import `.mts` modules by the names of their built files.
registerHooks({
  resolve: (specifier, context, next) => {
    try {
      return next(specifier, context);
    } catch (error) {
      if (!/^\..*\.mjs$/.test(specifier)) throw error;
      return next(specifier.replace(/\.mjs$/, ".mts"), context);
    }
  },
});

reportUncaught();
try {
  process.stdout.write(`${JSON.stringify(await main(process.argv.slice(2)))}\n`);
} catch (error) {
  process.stderr.write(`${reportOf(error)}\n`);
  process.exitCode = exitStatusOf(error);
}
