import { createPrivateKey, createPublicKey, createVerify, type KeyObject, sign, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import type { PublicKey, SigningKey } from "./signing-key.ts";

export type { PublicKey, SigningKey } from "./signing-key.ts";

/** In the order in which they count. The second one is cosign's. */
const passwordVariables = ["SLIPWAY_KEY_PASSWORD", "COSIGN_PASSWORD"] as const;

const awsScheme = "awskms://";

/** PEM labels of cosign's private keys. The second one is from before version 2. */
const cosignLabels = ["ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY"];

/**
 * PEM: `PUBLIC KEY`, or a private key that is not encrypted.
 * @param source a file, `env://NAME` for a variable with the key, or `awskms://[ENDPOINT]/KEY`
 * @throws UserError that names the source
 */
export async function readPublicKey(source: string, env: Environment = process.env): Promise<PublicKey> {
  if (source.startsWith(awsScheme))
    return (await import("./kms-key.ts")).readKmsKey(source).then((key) => key.publicKey);
  const text = readSource(source, env);
  try {
    return { name: source, key: checked(createPublicKey(text), source) };
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    const problem = `Key ${source} is not a public key in PEM.`;
    const remedy = "Name a file with a -----BEGIN PUBLIC KEY----- block, such as cosign.pub.";
    throw new UserError({ code: "key-invalid", culprit: source }, problem, remedy, { cause });
  }
}

/**
 * PEM: PKCS #8, encrypted or not, PKCS #1, SEC 1, or cosign's own format. The password is in `SLIPWAY_KEY_PASSWORD`
 * or `COSIGN_PASSWORD`.
 * @param source a file, `env://NAME` for a variable with the key, or `awskms://[ENDPOINT]/KEY` for one that stays in
 * AWS KMS
 * @throws UserError that names the source
 */
export async function readSigningKey(source: string, env: Environment = process.env): Promise<SigningKey> {
  if (source.startsWith(awsScheme)) return (await import("./kms-key.ts")).readKmsKey(source);
  const text = readSource(source, env);
  const key = checked(await privateKeyIn(text, source, env), source);
  return {
    publicKey: { name: source, key: createPublicKey(key) },
    sign: async (data) => sign(hashFor(key), data, key),
  };
}

export function isSignedBy({ key }: PublicKey, data: readonly Uint8Array[], signature: Uint8Array): boolean {
  try {
    const hash = hashFor(key);
    if (hash === undefined) return verify(hash, Buffer.concat(data), key, signature);
    // Without a copy: a payload may have 12 MiB.
    const verifier = createVerify(hash);
    for (const piece of data) verifier.update(piece);
    return verifier.verify(key, signature);
  } catch {
    // OpenSSL throws for some lengths of a signature.
    return false;
  }
}

/** Undefined: Ed25519 has its own. */
function hashFor(key: KeyObject): string | undefined {
  return key.asymmetricKeyType === "ed25519" ? undefined : "sha256";
}

function checked(key: KeyObject, source: string): KeyObject {
  const { asymmetricKeyType: type = "", asymmetricKeyDetails: { modulusLength = 0, namedCurve = "" } = {} } = key;
  const isGood =
    type === "ed25519" ||
    (type === "rsa" && modulusLength >= 2048) ||
    (type === "ec" && ["prime256v1", "secp384r1", "secp521r1"].includes(namedCurve));
  if (isGood) return key;
  const kind = type === "rsa" ? `${modulusLength} bits of RSA` : [type, namedCurve].filter(Boolean).join(" ");
  throw new UserError(
    { code: "key-invalid", culprit: source },
    `Key ${source} has the type ${kind}, which cosign does not accept.`,
    "Use ECDSA with the curve P-256, P-384 or P-521, RSA with 2048 bits or more, or Ed25519.",
  );
}

async function privateKeyIn(text: string, source: string, env: Environment): Promise<KeyObject> {
  const [, label = "", base64 = ""] = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END /.exec(text) ?? [];
  const identity = { code: "key-invalid", culprit: source };
  if (!label.endsWith("PRIVATE KEY")) {
    const problem = `Key ${source} is not a private key in PEM.`;
    throw new UserError(identity, problem, "Name a file with a -----BEGIN … PRIVATE KEY----- block.");
  }
  const isEncrypted = label.startsWith("ENCRYPTED ") || /^Proc-Type: 4,ENCRYPTED$/m.test(text);
  const variable = passwordVariables.find((name) => env[name] !== undefined);
  const password = variable === undefined ? undefined : env[variable];
  if (isEncrypted && password === undefined) {
    const remedy = `Put its password into ${passwordVariables.join(" or ")}.`;
    throw new UserError(identity, `Key ${source} is encrypted.`, remedy);
  }
  let cause: unknown;
  try {
    if (!cosignLabels.includes(label))
      return createPrivateKey({ key: text, format: "pem", passphrase: isEncrypted ? password : undefined });
    const { decryptCosignKey } = await import("./cosign-key.ts");
    const key = decryptCosignKey(Buffer.from(base64, "base64"), password as string, source);
    if (key) return createPrivateKey({ key, format: "der", type: "pkcs8" });
  } catch (error) {
    if (error instanceof UserError) throw error;
    cause = error;
  }
  const problem = isEncrypted
    ? `The password in ${variable} does not decrypt key ${source}.`
    : `Key ${source} cannot be read as a ${label} in PEM.`;
  const remedy = isEncrypted ? `Correct ${variable}.` : "Write it with `openssl pkcs8 -topk8`.";
  throw new UserError(identity, problem, remedy, { cause });
}

function readSource(source: string, env: Environment): string {
  const [, variable] = /^env:\/\/(.+)$/.exec(source) ?? [];
  if (variable !== undefined) {
    const value = env[variable];
    if (value) return value;
    const problem = `Variable ${variable}, which should have a key, is ${value === undefined ? "not set" : "empty"}.`;
    throw new UserError({ code: "key-invalid", culprit: source }, problem, "Put the key into it, in PEM.");
  }
  const [, scheme] = /^([a-z0-9]+):\/\//.exec(source) ?? [];
  if (scheme !== undefined) {
    const problem = `Key ${source} is in ${scheme}, which Slipway cannot use.`;
    const remedy = `Name a file, env://NAME or awskms://…; cosign can sign with this key, and \`cosign public-key --key ${source}\` prints the key to verify with.`;
    throw new UserError({ code: "key-invalid", culprit: source }, problem, remedy);
  }
  try {
    return readFileSync(source, "utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const problem = `Key ${source} cannot be read (${code}).`;
    throw new UserError({ code: "file-unreadable", culprit: source }, problem, "Name a file that you can read.", {
      cause,
    });
  }
}
