import { scryptSync } from "node:crypto";
import { xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import { parseJson } from "../oci/json.ts";

/** Bytes for scrypt: four times the 64 MiB that cosign's parameters need. */
const memoryLimit = 256 * 1024 * 1024;

/**
 * Cosign's own format: JSON with the parameters of scrypt, and the key in a secretbox of NaCl. Returns DER in PKCS
 * #8, undefined for a wrong password.
 * @throws UserError if the format is another one
 */
export function decryptCosignKey(content: Buffer, password: string, file: string): Buffer | undefined {
  const identity = { code: "key-invalid", culprit: file };
  const remedy = "Make the key again with `cosign generate-key-pair` or `cosign import-key-pair`.";
  const node = parseJson(content, `The encrypted key in ${file}`, remedy, identity);
  const [kdf, cipher] = [node.get("kdf"), node.get("cipher")];
  if (kdf.get("name").string() !== "scrypt") kdf.get("name").fail("is not scrypt");
  if (cipher.get("name").string() !== "nacl/secretbox") cipher.get("name").fail("is not nacl/secretbox");
  const bytes = (of: typeof node) => Buffer.from(of.string(), "base64");
  const [N, r, p] = ["N", "r", "p"].map((name) => kdf.get("params").get(name).size()) as [number, number, number];
  if (N * r * 128 > memoryLimit / 2 || p > 16) kdf.get("params").fail("asks for more memory than any key of cosign");
  const nonce = bytes(cipher.get("nonce"));
  if (nonce.length !== 24) cipher.get("nonce").fail("does not have 24 bytes");
  const secret = scryptSync(password, bytes(kdf.get("salt")), 32, { N, r, p, maxmem: memoryLimit });
  try {
    return Buffer.from(xsalsa20poly1305(secret, nonce).decrypt(bytes(node.get("ciphertext"))));
  } catch {
    return undefined;
  }
}
