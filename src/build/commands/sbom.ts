import { checkDescriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { parseLayerMetadata } from "../../oci/layer.ts";
import { parseImageManifest } from "../../oci/manifest.ts";
import { sbomFormats } from "../../sbom/formats.ts";
import { type LayerPackages, parseLayerPackages } from "../../sbom/layer-packages.ts";
import { lockedChecksums } from "../../sbom/locked-checksums.ts";
import { Arguments, argumentError, malformed, texts } from "../arguments.ts";
import type { Context } from "../context.ts";

/**
 * `sbom --output=OUT --format=spdx|cyclonedx --name=LABEL --descriptor=PATH --manifest=PATH [--base=DESCRIPTOR
 * --base-name=NAME]`, then layers with known packages, `["layer", METADATA, PACKAGES]`, and locks with their checksums,
 * `["lock", PATH]`. With `--base`, the other layers are the base's, which has its own SBOM.
 */
export async function sbom(args: readonly string[], context: Context): Promise<void> {
  const options = new Arguments(
    args,
    ["output", "format", "name", "descriptor", "manifest", "base", "base-name"],
    context,
  );
  const read = (path: string) => options.read(path);
  const descriptorOf = (path: string) => checkDescriptor(options.json(path));
  const known = new Map<Digest, LayerPackages>();
  const locks: string[] = [];
  for (const entry of options.entries) {
    if (entry.kind === "lock") locks.push(read(texts(entry, ["PATH"])[0]).toString("utf8"));
    else if (entry.kind === "layer") {
      const [metadata, packages] = texts(entry, ["METADATA", "PACKAGES"]);
      known.set(parseLayerMetadata(read(metadata), metadata).digest, parseLayerPackages(read(packages), packages));
    } else throw malformed(entry.text, '["layer", "METADATA", "PACKAGES"] or ["lock", "PATH"]');
  }
  const manifest = options.one("manifest");
  const { digest, platform } = descriptorOf(options.one("descriptor"));
  const base = options.optional("base");
  const withChecksums = lockedChecksums(locks);
  const layers = parseImageManifest(read(manifest), { document: manifest }).layers.filter(
    (layer) => base === undefined || known.has(layer.digest),
  );
  const distribution = layers.map((layer) => known.get(layer.digest)?.distribution).findLast(Boolean);
  const format = await formatOf(options.one("format"));
  const document = format.format({
    name: options.one("name"),
    digest,
    ...(platform ? { platform } : {}),
    ...(base === undefined ? {} : { base: { name: options.one("base-name"), digest: descriptorOf(base).digest } }),
    ...(distribution ? { distribution } : {}),
    layers: layers.map((layer) => ({
      digest: layer.digest,
      packages: (known.get(layer.digest)?.packages ?? []).map(withChecksums),
    })),
  });
  options.write({ output: document });
}

function formatOf(name: string) {
  if (Object.hasOwn(sbomFormats, name)) return sbomFormats[name as keyof typeof sbomFormats]();
  throw argumentError("--format", `--format=${name} is not known.`, `Write ${Object.keys(sbomFormats).join(" or ")}.`);
}
