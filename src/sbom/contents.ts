import type { Platform } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { Distribution, PackageRecord } from "./package-record.ts";

export type { Distribution };

export interface LayerContents {
  readonly digest: Digest;
  readonly packages: readonly PackageRecord[];
}

export interface ImageContents {
  /** With the registry if it has one: `registry.example.com/team/app`. */
  readonly name: string;
  readonly digest: Digest;
  readonly platform?: Platform;
  /** A base from a registry, which keeps its own SBOM. `layers` are those above it. */
  readonly base?: { readonly name: string; readonly digest: Digest };
  /** That its Debian packages are of. */
  readonly distribution?: Distribution;
  readonly layers: readonly LayerContents[];
}

export interface SbomFormat {
  readonly mediaType: string;
  /** Ends with a line feed. The same contents give the same text, in any order of the packages of a layer. */
  format(contents: ImageContents): string;
}
