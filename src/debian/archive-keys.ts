import bookworm from "./keys/bookworm.json" with { type: "json" };
import trixie from "./keys/trixie.json" with { type: "json" };

export interface ArchiveKey {
  /** Of the primary key: 40 hexadecimal digits. */
  readonly fingerprint: string;
  /** The transferable public key, ASCII-armoured. */
  readonly armored: string;
}

/**
 * The keys that sign Debian's indexes and those of its security archives, as the package debian-archive-keyring has them
 * (`/usr/share/keyrings/debian-archive-*.gpg`), without signatures of others and without the list of keys that may revoke them.
 * https://ftp-master.debian.org/keys.html lists the fingerprints. A new release brings new keys a year or more before it needs them.
 */
export const archiveKeys: readonly ArchiveKey[] = [...bookworm, ...trixie].map(({ fingerprint, armored }) => ({
  fingerprint,
  armored: armored.join("\n"),
}));
