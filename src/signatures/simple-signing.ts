import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { parseJson } from "../oci/json.ts";
import { isSignedBy, type PublicKey } from "./keys.ts";

/** The payload that cosign signed before version 3, in an image under the tag `sha256-HEX.sig`. */
export const payloadType = "application/vnd.dev.cosign.simplesigning.v1+json";

/** The annotation of the payload's descriptor with the signature. */
const signatureKey = "dev.cosignproject.cosign/signature";

/** The tag of the image with an image's signatures: cosign's SIGNATURE_SPEC.md, "Tag-based Discovery". */
export function signatureTag(image: Digest): string {
  return `${image.replace(":", "-")}.sig`;
}

/**
 * Checks that a payload signs an image with a key: cosign's SIGNATURE_SPEC.md, "Simple Signing".
 *
 * @returns the reason why it does not. Undefined: it does
 * @throws UserError if the payload is damaged
 */
export function refutePayload(
  payload: Uint8Array,
  { annotations }: Pick<Descriptor, "annotations">,
  image: Digest,
  key: PublicKey,
): string | undefined {
  const signature = annotations?.[signatureKey];
  if (signature === undefined) return "its signature is missing";
  if (!isSignedBy(key, payload, Buffer.from(signature, "base64"))) return "it is not by this key, or changed";
  const remedy = "Sign the image again.";
  const node = parseJson(payload, "The payload of a signature", remedy, { code: "signature-invalid" });
  const signed = node.get("critical").get("image").get("docker-manifest-digest").string();
  return signed === image ? undefined : `it signs ${signed}`;
}
