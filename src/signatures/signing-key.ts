import type { KeyObject } from "node:crypto";

/** A key to verify signatures with. */
export interface PublicKey {
  /** As the user named it: a file, `env://NAME`, or the URI of a KMS. */
  readonly name: string;
  readonly key: KeyObject;
}

/** A key to sign with. */
export interface SigningKey {
  readonly publicKey: PublicKey;
  /** Returns a signature as cosign writes it: ECDSA in DER, RSA by PKCS #1 v1.5, Ed25519. */
  sign(data: Uint8Array): Promise<Buffer>;
}
