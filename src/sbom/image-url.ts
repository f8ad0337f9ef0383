import type { Platform } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { formatReference, parseReference } from "../oci/reference.ts";
import { formatPackageUrl } from "./package-url.ts";

/** Undefined if the name has no registry: purl specification, type `oci`. */
export function imageUrl(name: string, digest: Digest, platform?: Platform): string | undefined {
  if (!/^(?:localhost|[^/]*[.:][^/]*)\//.test(name)) return undefined;
  try {
    const { registry, repository, tag } = parseReference(name);
    return formatPackageUrl({
      type: "oci",
      name: repository.slice(repository.lastIndexOf("/") + 1),
      version: digest,
      qualifiers: { arch: platform?.architecture, repository_url: formatReference({ registry, repository }), tag },
    });
  } catch {
    return undefined; // Looks like a name with a registry, but is none.
  }
}
