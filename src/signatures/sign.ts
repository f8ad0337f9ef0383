import type { Descriptor } from "../oci/descriptor.ts";
import type { RegistryClient } from "../registry/client/client.ts";
import { attachReferrer } from "../registry/referrers.ts";
import { bundleType, composeBundle, composeStatement, predicateAnnotation, signatureType } from "./bundle.ts";
import type { SigningKey } from "./keys.ts";
import { findSignatures } from "./verify.ts";

/** As cosign 3 does. False: a signature by this key was there already. @throws UserError or Failure of the registry */
export async function signImage(
  client: RegistryClient,
  repository: string,
  image: Descriptor,
  key: SigningKey,
): Promise<"signed" | "unchanged"> {
  const { verified } = await findSignatures(client, repository, image.digest, key.publicKey);
  if (verified.some(({ mediaType }) => mediaType === bundleType)) return "unchanged";
  await attachBundle(client, repository, image, await composeBundle(composeStatement(image.digest), key));
  return "signed";
}

/** As cosign finds it. `isNew` as in {@link attachReferrer}; `predicateType`: default, a signature's. */
export function attachBundle(
  client: RegistryClient,
  repository: string,
  image: Descriptor,
  content: Uint8Array,
  { isNew = false, predicateType = signatureType }: { readonly isNew?: boolean; readonly predicateType?: string } = {},
): Promise<Descriptor> {
  const annotations = { "dev.sigstore.bundle.content": "dsse-envelope", [predicateAnnotation]: predicateType };
  const artifact = { artifactType: bundleType, mediaType: bundleType, content, annotations };
  return attachReferrer(client, repository, image, artifact, { isNew });
}
