import { join } from "node:path";
import { sha256, splitDigest } from "../oci/digest.ts";
import type { Reference } from "../oci/reference.ts";

/** A run of `sync KIND --volume=/volume ARGUMENTS…` before the program starts, and mounts of the volume. */
export interface Content {
  readonly kind: ContentKind;
  /** Without secrets: process lists show them. */
  readonly arguments: readonly string[];
  /** The existing volume claim with the content. Undefined: each pod has its own volume. */
  readonly claim?: string;
  readonly mounts: readonly ContentMount[];
  /** Secrets that only the sync program gets, as files. */
  readonly secrets: readonly ContentSecret[];
  /** Further files, for text that is long or that process lists should not show. */
  readonly texts?: readonly ContentText[];
}

export type ContentKind = "models" | "repositories";

export interface ContentMount {
  readonly path: string;
  readonly folder: string;
}

export interface ContentSecret {
  readonly secret: string;
  readonly key: string;
  /** Name of the file in {@link secretsFolder}. */
  readonly file: string;
}

export interface ContentText {
  readonly text: string;
  readonly file: string;
}

export const volumeFolder = "/volume";

/** The folder of secrets and texts. A missing secret has no file. */
export function secretsFolder(kind: ContentKind): string {
  return `/run/slipway/${kind}`;
}

export function syncArguments({ kind, arguments: rest }: Content): string[] {
  return [kind, `--volume=${volumeFolder}`, ...rest];
}

/** The folder of a model's version in a volume. Without a digest, a link to the newest version. */
export function modelFolder({
  registry,
  repository,
  digest,
}: Pick<Reference, "registry" | "repository" | "digest">): string {
  // A hash: one name can be a prefix of another, such as a and a/b.
  if (digest === undefined) return join("models", "latest", splitDigest(sha256(`${registry}/${repository}`)).hex);
  const { algorithm, hex } = splitDigest(digest);
  return join("models", algorithm, hex);
}
