import { formatReference } from "../../oci/reference.ts";
import { fetchManifest } from "../../registry/client/fetch-manifest.ts";
import { readSigningKey } from "../../registry/signatures/keys.ts";
import { signImage } from "../../registry/signatures/sign.ts";
import { openImage } from "../image/named-image.ts";
import { optionError } from "../usage-error.ts";
import { notice } from "./output.ts";

interface Options {
  readonly image: string;
  readonly key?: string | undefined;
  readonly keyless?: boolean | undefined;
}

/** Signs an image or index by its digest, and prints the reference by digest. */
export async function sign({ image: text, key: source, keyless }: Options): Promise<void> {
  if (source === undefined && !keyless) {
    throw optionError("--key", "The command has no key to sign with.", "Add --key FILE or --keyless.");
  }
  const key = source === undefined ? undefined : await readSigningKey(source);
  const image = await openImage(text);
  const { client, repository, name } = image;
  try {
    const { descriptor } = await fetchManifest(client, repository, name);
    const outcome = key
      ? await signImage(client, repository, descriptor, key)
      : await (await import("../../registry/signatures/keyless.ts")).signKeyless(client, repository, descriptor);
    if (outcome === "unchanged") notice("the image has a signature by this key already");
    const { registry } = image.reference;
    process.stdout.write(`${formatReference({ registry, repository, digest: descriptor.digest })}\n`);
  } finally {
    client.close();
  }
}
