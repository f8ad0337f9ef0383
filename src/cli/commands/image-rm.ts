import { UserError } from "../../core/errors.ts";
import { formatReference } from "../../oci/reference.ts";
import { absentImage } from "../../registry/client/fetch-manifest.ts";
import { Unsupported } from "../../registry/client/refusal.ts";
import { removeImage } from "../../registry/referrers.ts";
import { command } from "../command.ts";
import { type NamedImage, openImage } from "../image/named-image.ts";
import { image } from "./options.ts";

export const rm = command(
  { images: { ...image, array: true, defaultDescription: "none" } },
  async ({ images }) => {
    const named = await Promise.all(images.map(openNamed));
    for (using image of named) {
      await removeOne(image);
      process.stdout.write(`${formatReference(image.reference)}\n`);
    }
  },
  (yargs) =>
    yargs.example("$0 image rm localhost:5000/team/app:old", "Remove a tag; the image stays while it has other tags"),
);

async function openNamed(text: string): Promise<NamedImage & Disposable> {
  const image = await openImage(text);
  const { tag, digest } = image.reference;
  if (tag === undefined && digest === undefined) {
    throw new UserError(
      { code: "reference-invalid", culprit: text },
      `${text} names a repository, not a tag or an image.`,
      `Add the tag or the digest: ${text}:TAG or ${text}@sha256:DIGEST.`,
    );
  }
  return image;
}

async function removeOne({ client, repository, name, reference }: NamedImage): Promise<void> {
  let isRemoved: boolean;
  try {
    isRemoved =
      reference.digest === undefined
        ? await client.deleteManifest(repository, name)
        : await removeImage(client, repository, reference.digest);
  } catch (error) {
    if (!(error instanceof Unsupported) || reference.digest !== undefined) throw error;
    const digest = (await client.headManifest(repository, name))?.digest;
    if (digest === undefined) throw absentImage(reference, name);
    throw new UserError(
      { code: "registry-unsupported", culprit: client.registry },
      `Registry ${client.registry} cannot remove tags.`,
      `Remove the image with all its tags: slipway image rm ${formatReference({ registry: reference.registry, repository, digest })}`,
      { cause: error },
    );
  }
  if (!isRemoved) throw absentImage(reference, name);
}
