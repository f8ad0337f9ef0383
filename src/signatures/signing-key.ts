import type { KeyObject } from "node:crypto";

export interface PublicKey {
  /** A file, `env://NAME`, or the URI of a KMS. */
  readonly name: string;
  readonly key: KeyObject;
}

export interface SigningKey {
  readonly publicKey: PublicKey;
  /** As cosign writes it: ECDSA in DER, RSA by PKCS #1 v1.5, Ed25519. */
  sign(data: Uint8Array): Promise<Buffer>;
}
