import { bookwormKeys } from "./keys/bookworm.ts";
import { trixieKeys } from "./keys/trixie.ts";

/** A key that index signatures are checked with. */
export interface ArchiveKey {
  /** Of the primary key: 40 hexadecimal digits. */
  readonly fingerprint: string;
  /** The transferable public key, ASCII-armoured. */
  readonly armored: string;
}

/** The archive keys of Debian that come with Slipway. A new release of Debian brings new ones, a year or more before they are needed alone. */
export const archiveKeys: readonly ArchiveKey[] = [...bookwormKeys, ...trixieKeys];
