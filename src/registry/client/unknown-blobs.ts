import { randomBytes } from "node:crypto";
import { sha256 } from "../../oci/digest.ts";
import { canonicalJson } from "../../oci/json.ts";
import { mediaTypes } from "../../oci/media-types.ts";
import type { RegistryClient } from "./client.ts";
import { AccessRefused, Unreachable } from "./refusal.ts";

/** Milliseconds. */
const patience = 3_000;

/**
 * Whether a repository refuses a manifest whose blobs it lacks, which the specification leaves open. Sends a stored
 * manifest with one unknown layer, and deletes it again if the registry takes it. Undefined: no answer.
 */
export async function refusesUnknownBlobs(
  client: RegistryClient,
  repository: string,
  manifest: { readonly bytes: Uint8Array; readonly mediaType: string },
  pushSignal: AbortSignal,
): Promise<boolean | undefined> {
  const signal = AbortSignal.any([pushSignal, AbortSignal.timeout(patience)]);
  try {
    const document = JSON.parse(new TextDecoder().decode(manifest.bytes)) as { layers: readonly object[] };
    const unknown = { mediaType: mediaTypes.layerGzip, digest: sha256(randomBytes(32)), size: 32 };
    const bytes = canonicalJson({ ...document, layers: [...document.layers, unknown] });
    const digest = sha256(bytes);
    await client.putManifest(repository, digest, bytes, manifest.mediaType, { signal });
    await client.deleteManifest(repository, digest).catch(() => {});
    return false;
  } catch (error) {
    if (/\b(MANIFEST_)?BLOB_UNKNOWN\b/.test((error as Error).message)) return true;
    return mayLackBlobs(error) ? false : undefined;
  }
}

/** Registries have several codes for a missing blob. */
export function mayLackBlobs(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof AccessRefused || error instanceof Unreachable) return false;
  return /\banswered 4\d\d\b/.test(error.message);
}
