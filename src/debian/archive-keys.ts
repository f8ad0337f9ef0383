import { bookwormKeys } from "./keys/bookworm.ts";
import { trixieKeys } from "./keys/trixie.ts";
import type { ArchiveKey } from "./signature.ts";

/** The archive keys of Debian that come with Slipway. A new release of Debian brings new ones, a year or more before they are needed alone. */
export const archiveKeys: readonly ArchiveKey[] = [...bookwormKeys, ...trixieKeys];
