import { sha256, splitDigest } from "../oci/digest.ts";

/** The hash of a text, `urn:uuid:…`: RFC 9562, section 5.8 (version 8). */
export function uuidOf(text: string): string {
  const { hex } = splitDigest(sha256(text));
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `${variant}${hex.slice(17, 20)}`];
  return `urn:uuid:${[...parts, hex.slice(20, 32)].join("-")}`;
}
