import { generateKeyPairSync, type KeyObject, randomBytes, scryptSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../core/testdata/folder.ts";
import { userErrorWith } from "../core/testdata/reported.ts";
import { isSignedBy, readPublicKey, readSigningKey } from "./keys.ts";

const password = "geheim";

function file(content: string | Buffer): string {
  const path = join(temporaryFolder(), "key.pem");
  writeFileSync(path, content);
  return path;
}

/** A private key as `cosign generate-key-pair` writes it, with less work for scrypt. */
function cosignKey(key: KeyObject, change: object = {}): string {
  const [salt, nonce] = [randomBytes(32), randomBytes(24)];
  const params = { N: 1024, r: 8, p: 1 };
  const secret = scryptSync(password, salt, 32, params);
  const content = key.export({ format: "der", type: "pkcs8" });
  const document = {
    kdf: { name: "scrypt", params, salt: salt.toString("base64") },
    cipher: { name: "nacl/secretbox", nonce: nonce.toString("base64") },
    ciphertext: Buffer.from(xsalsa20poly1305(secret, nonce).encrypt(content)).toString("base64"),
    ...change,
  };
  const label = "ENCRYPTED SIGSTORE PRIVATE KEY";
  const base64 = Buffer.from(JSON.stringify(document)).toString("base64");
  return `-----BEGIN ${label}-----\n${base64.replaceAll(/.{64}/g, "$&\n")}\n-----END ${label}-----\n`;
}

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const encrypted = { cipher: "aes-256-cbc", passphrase: password, format: "pem" } as const;
const encryptedKey = () => privateKey.export({ ...encrypted, type: "pkcs8" });

describe("readSigningKey", () => {
  it.each<[string, () => string | Buffer]>([
    ["PKCS #8", () => privateKey.export({ format: "pem", type: "pkcs8" })],
    ["encrypted PKCS #8", encryptedKey],
    ["SEC 1", () => privateKey.export({ format: "pem", type: "sec1" })],
    ["encrypted SEC 1", () => privateKey.export({ ...encrypted, type: "sec1" })],
    ["cosign's format", () => cosignKey(privateKey)],
    [
      "PKCS #1",
      () => generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "pem", type: "pkcs1" }),
    ],
    ["Ed25519", () => generateKeyPairSync("ed25519").privateKey.export({ format: "pem", type: "pkcs8" })],
  ])("signs with a key in %s", async (_, key) => {
    const { publicKey: own, sign } = await readSigningKey(file(key()), { SLIPWAY_KEY_PASSWORD: password });
    const signature = await sign(Buffer.from("content"));
    expect(isSignedBy(own, [Buffer.from("content")], signature)).toBe(true);
    expect(isSignedBy(own, [Buffer.from("contenu")], signature)).toBe(false);
    expect(isSignedBy(own, [Buffer.from("content")], Buffer.from("no signature"))).toBe(false);
  });

  it("takes the key from a variable, and cosign's password", async () => {
    const env = { KEY: cosignKey(privateKey), COSIGN_PASSWORD: password };
    const signing = await readSigningKey("env://KEY", env);
    const pub = await readPublicKey(file(publicKey.export({ format: "pem", type: "spki" })));
    expect(signing.publicKey.key.equals(pub.key)).toBe(true);
    expect(signing.publicKey.name).toBe("env://KEY");
  });

  it.each<[string, () => string | Buffer, RegExp]>([
    ["a public key", () => publicKey.export({ format: "pem", type: "spki" }), /is not a private key in PEM/],
    ["something else", () => "hello", /is not a private key in PEM/],
    ["a damaged key", () => "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", /cannot be read as/],
    [
      "a small key",
      () => generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey.export({ format: "pem", type: "pkcs8" }),
      /1024 bits of RSA/,
    ],
    [
      "a curve that cosign lacks",
      () => generateKeyPairSync("ec", { namedCurve: "secp256k1" }).privateKey.export({ format: "pem", type: "pkcs8" }),
      /ec secp256k1/,
    ],
    ["another cipher", () => cosignKey(privateKey, { cipher: { name: "aes" } }), /cipher\.name is not nacl\/secretbox/],
    [
      "a derivation that needs a gigabyte",
      () => cosignKey(privateKey, { kdf: { name: "scrypt", params: { N: 2 ** 20, r: 8, p: 1 }, salt: "" } }),
      /asks for more memory/,
    ],
  ])("refuses %s", async (_, key, problem) => {
    const path = file(key());
    const reading = readSigningKey(path, { SLIPWAY_KEY_PASSWORD: password });
    await expect(reading).rejects.toThrow(problem);
    await expect(readSigningKey(path, { SLIPWAY_KEY_PASSWORD: password })).rejects.toThrow(
      expect.objectContaining({ code: "key-invalid" }),
    );
  });

  it.each([
    ["PKCS #8", encryptedKey],
    ["cosign's format", () => cosignKey(privateKey)],
  ])("asks for the password of an encrypted key in %s, and never shows a wrong one", async (_, key) => {
    const path = file(key());
    await expect(readSigningKey(path, {})).rejects.toThrow(
      /is encrypted\.\nPut its password into SLIPWAY_KEY_PASSWORD/,
    );
    const error = await readSigningKey(path, { COSIGN_PASSWORD: "falsch" }).catch((caught: Error) => caught);
    expect(String(error)).toContain("The password in COSIGN_PASSWORD does not decrypt key");
    expect(String(error)).not.toContain("falsch");
  });
});

describe("a key", () => {
  it.each([
    ["missing.pem", "file-unreadable", /ENOENT/],
    ["env://NONE", "key-invalid", /Variable NONE.* is not set/],
    ["gcpkms://projects/x", "key-invalid", /is in gcpkms, which Slipway cannot use/],
    ["azurekms://vault/x", "key-invalid", /`cosign public-key --key azurekms:\/\/vault\/x`/],
    ["hashivault://x", "key-invalid", /is in hashivault/],
    ["awskms://alias/x", "key-invalid", /is not the name of a key in AWS KMS/],
    ["awskms:///x", "key-invalid", /is not the name of a key in AWS KMS/],
  ] as const)("%s is refused", async (source, code, problem) => {
    for (const read of [() => readPublicKey(source, {}), () => readSigningKey(source, {})]) {
      await expect(read()).rejects.toThrow(userErrorWith(code, source));
      await expect(read()).rejects.toThrow(problem);
    }
  });

  it("that is not public is refused to verify with", async () => {
    const path = file("hello");
    await expect(readPublicKey(path)).rejects.toThrow(/is not a public key in PEM/);
  });
});
