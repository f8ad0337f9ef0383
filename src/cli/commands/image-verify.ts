import { formatReference } from "../../oci/reference.ts";
import { fetchManifest } from "../../registry/client/fetch-manifest.ts";
import { readPublicKey } from "../../registry/signatures/keys.ts";
import { verifyImage } from "../../registry/signatures/verify.ts";
import { openImage } from "../image/named-image.ts";
import { optionError } from "../usage-error.ts";
import { printJson } from "./output.ts";

interface Options {
  readonly image: string;
  readonly key?: string | undefined;
  readonly identity?: string | undefined;
  readonly issuer?: string | undefined;
  readonly json: boolean;
}

/**
 * Verifies the signature of an image or index, and prints the reference by digest.
 *
 * @throws Failure if no signature is valid. UserError of the options, the key or the reference
 */
export async function verify({ image: text, key: source, identity, issuer, json }: Options): Promise<void> {
  if (source === undefined && (identity === undefined || issuer === undefined)) {
    const remedy = "Add --key FILE, or --identity and --issuer for an image that was signed without a key.";
    throw optionError("--key", "The command has no key to verify with.", remedy);
  }
  const key = source === undefined ? undefined : await readPublicKey(source);
  const image = await openImage(text);
  const { client, repository, name } = image;
  try {
    const { digest } = (await fetchManifest(client, repository, name)).descriptor;
    const signatures = key
      ? await verifyImage(client, repository, digest, key)
      : await (await import("../../registry/signatures/keyless.ts")).verifyKeyless(client, repository, digest, {
          identity: identity as string,
          issuer: issuer as string,
        });
    const reference = formatReference({ registry: image.reference.registry, repository, digest });
    if (json) printJson({ reference, signatures });
    else process.stdout.write(`${reference}\n`);
  } finally {
    client.close();
  }
}
