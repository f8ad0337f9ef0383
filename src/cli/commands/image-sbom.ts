import { UserError } from "../../core/errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { parseImageManifest } from "../../oci/manifest.ts";
import { formatReference } from "../../oci/reference.ts";
import { fetchManifest } from "../../registry/client/fetch-manifest.ts";
import { fetchImage, type NamedImage, openImage } from "../image/named-image.ts";
import { write } from "./output.ts";

/** Types of artifacts that are SBOMs, by format. */
const formats = {
  spdx: "application/spdx+json",
  cyclonedx: "application/vnd.cyclonedx+json",
} as const;

/** Bytes of the largest SBOM that is printed: 100,000 packages. */
const maximumSbom = 64 * 1024 * 1024;

interface Options {
  readonly image: string;
  readonly platform?: string | undefined;
  readonly format?: keyof typeof formats | undefined;
}

/**
 * Prints the SBOM that is attached to the image of a platform, else the one that is attached to its index, byte for byte.
 *
 * @throws UserError if there is none
 */
export async function sbom({ image: text, platform, format }: Options): Promise<void> {
  const image = await openImage(text);
  const { client, repository } = image;
  try {
    const types: readonly string[] = format === undefined ? Object.values(formats) : [formats[format]];
    const found = await find(image, platform, types);
    if (!found) {
      const name = formatReference(image.reference);
      const kind = format === undefined ? "SBOM" : `SBOM in the format ${format}`;
      const remedy = `\`slipway image referrers ${name}\` lists what is attached; docs/registry-images.md explains it.`;
      throw new UserError({ code: "sbom-not-found", culprit: name }, `No ${kind} is attached to ${name}.`, remedy);
    }
    const { bytes } = await fetchManifest(client, repository, found.digest);
    const [layer] = parseImageManifest(bytes).layers;
    if (!layer) {
      const reference = formatReference({ ...image.reference, digest: found.digest });
      const problem = `SBOM ${reference} has no content.`;
      throw new UserError({ code: "image-invalid", culprit: reference }, problem, "Attach the SBOM again.");
    }
    // As a whole, so that nothing of a document with another digest is printed.
    const name = formatReference({ ...image.reference, digest: found.digest });
    await write(process.stdout, await client.readBlob(repository, layer, "SBOM", name, maximumSbom));
  } finally {
    client.close();
  }
}

async function find(
  image: NamedImage,
  platform: string | undefined,
  types: readonly string[],
): Promise<Descriptor | undefined> {
  const { client, repository, name } = image;
  const own = await fetchImage(image, platform);
  const named = await fetchManifest(client, repository, name);
  for (const { descriptor } of [own, named]) {
    const listed = await client.referrers(repository, descriptor.digest);
    const found = types.map((type) => listed.find(({ artifactType }) => artifactType === type)).find(Boolean);
    if (found) return found;
  }
  return undefined;
}
