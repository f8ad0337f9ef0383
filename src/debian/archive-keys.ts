import bookworm from "./keys/bookworm.json" with { type: "json" };
import trixie from "./keys/trixie.json" with { type: "json" };

export interface ArchiveKey {
  /** Of the primary key: 40 hexadecimal digits. */
  readonly fingerprint: string;
  /** ASCII-armoured. */
  readonly armored: string;
}

/** Of debian-archive-keyring, without signatures of others; https://ftp-master.debian.org/keys.html lists them. */
export const archiveKeys: readonly ArchiveKey[] = [...bookworm, ...trixie].map(({ fingerprint, armored }) => ({
  fingerprint,
  armored: armored.join("\n"),
}));
