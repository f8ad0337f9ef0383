import type { Descriptor } from "../../oci/descriptor.ts";
import type { RegistryClient } from "../client/client.ts";
import { attachReferrer } from "../referrers.ts";
import { bundleType, composeBundle, signatureType } from "./bundle.ts";
import type { SigningKey } from "./keys.ts";
import { findSignatures } from "./verify.ts";

/**
 * Signs an image or index with a key, as cosign 3 does: a bundle that is attached as a referrer. Sends nothing if it has a signature by this key.
 *
 * @param image its descriptor in this repository
 * @returns whether the signature is new
 * @throws UserError or Failure of the registry
 */
export async function signImage(
  client: RegistryClient,
  repository: string,
  image: Descriptor,
  key: SigningKey,
): Promise<"signed" | "unchanged"> {
  const { verified } = await findSignatures(client, repository, image.digest, key.publicKey);
  if (verified.some(({ mediaType }) => mediaType === bundleType)) return "unchanged";
  await attachBundle(client, repository, image, await composeBundle(image.digest, key));
  return "signed";
}

/** Attaches a bundle with a signature, as cosign finds it. */
export function attachBundle(
  client: RegistryClient,
  repository: string,
  image: Descriptor,
  content: Uint8Array,
): Promise<Descriptor> {
  return attachReferrer(client, repository, image, {
    artifactType: bundleType,
    mediaType: bundleType,
    content,
    annotations: {
      "dev.sigstore.bundle.content": "dsse-envelope",
      "dev.sigstore.bundle.predicateType": signatureType,
    },
  });
}
