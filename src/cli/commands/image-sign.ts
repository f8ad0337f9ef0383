import type { Descriptor } from "../../oci/descriptor.ts";
import { isIndex } from "../../oci/manifest.ts";
import { formatReference } from "../../oci/reference.ts";
import type { RegistryClient } from "../../registry/client/client.ts";
import { fetchManifest } from "../../registry/client/fetch-manifest.ts";
import { readSigningKey } from "../../signatures/keys.ts";
import { signImage } from "../../signatures/sign.ts";
import { openImage } from "../image/named-image.ts";
import { optionError } from "../usage-error.ts";
import { notice } from "./output.ts";

interface Options {
  readonly image: string;
  readonly key?: string | undefined;
  readonly keyless?: boolean | undefined;
}

/** Signs an image by its digest, or an index and its images, since engines may pull either. Prints the reference by digest. */
export async function sign({ image: text, key: source, keyless }: Options): Promise<void> {
  if (source === undefined && !keyless) {
    throw optionError("--key", "The command has no key to sign with.", "Add --key FILE or --keyless.");
  }
  const key = source === undefined ? undefined : await readSigningKey(source);
  const image = await openImage(text);
  const { client, repository, name } = image;
  try {
    const { descriptor, manifest } = await fetchManifest(client, repository, name);
    const signOne = key
      ? (each: Descriptor) => signImage(client, repository, each, key)
      : await keylessSigner(client, repository);
    const outcomes = [];
    for (const each of [descriptor, ...(isIndex(manifest) ? manifest.manifests : [])])
      outcomes.push(await signOne(each));
    if (outcomes.every((outcome) => outcome === "unchanged")) notice("the image has a signature by this key already");
    const { registry } = image.reference;
    process.stdout.write(`${formatReference({ registry, repository, digest: descriptor.digest })}\n`);
  } finally {
    client.close();
  }
}

async function keylessSigner(client: RegistryClient, repository: string) {
  const { signKeyless } = await import("../../signatures/keyless.ts");
  return (image: Descriptor) => signKeyless(client, repository, image);
}
