import { Failure } from "../core/errors.ts";
import { type ArchiveKey, archiveKeys } from "./archive-keys.ts";

/**
 * Only text inside the signature (RFC 9580 section 7). As for apt, one good signature by one key is enough, not expired
 * or revoked when it was made, and not of the future.
 */
export async function verifiedText(
  inRelease: string,
  name: string,
  options: { keys?: readonly ArchiveKey[]; now: Date },
): Promise<string> {
  const { readCleartextMessage, readKey, verify } = await import("openpgp");
  const message = await readCleartextMessage({ cleartextMessage: inRelease }).catch((cause: unknown) => {
    throw new Failure(
      { code: "repository-failed", culprit: name },
      `${name} is not a signed index.`,
      "Check the mirror's address, or use another mirror.",
      { cause },
    );
  });
  const keys = options.keys ?? archiveKeys;
  const verificationKeys = await Promise.all(
    keys.map(async ({ fingerprint, armored }) => {
      const key = await readKey({ armoredKey: armored });
      if (key.getFingerprint() !== fingerprint.toLowerCase())
        throw new TypeError(`the key ${fingerprint} has another fingerprint`);
      return key;
    }),
  );
  const { signatures, data } = await verify({ message, verificationKeys, date: options.now });
  const problems: string[] = [];
  for (const signature of signatures) {
    try {
      await signature.verified;
      return data;
    } catch (error) {
      problems.push(`${signature.keyID.toHex().toUpperCase()}: ${(error as Error).message}`);
    }
  }
  throw new Failure(
    { code: "repository-failed", culprit: name },
    `${name} has no valid signature (${problems.join("; ") || "it is not signed"}).`,
    "Use another mirror; if the suite is newer than this Slipway, update Slipway, which contains Debian's archive keys.",
  );
}
