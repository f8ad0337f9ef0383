import { join } from "node:path";
import { sha256, splitDigest } from "../oci/digest.ts";
import type { Reference } from "../oci/reference.ts";

/**
 * What is brought to a service before its program starts: one run of the sync program, `sync KIND --volume=/volume ARGUMENTS…`, and what the
 * service's container sees of the volume afterwards. Kubernetes and podman make the same of it.
 */
export interface Content {
  /** What the sync program is asked for; also the name of its volume. */
  readonly kind: ContentKind;
  /** Public facts: they are shown wherever processes are listed. */
  readonly arguments: readonly string[];
  /** The volume claim that content is kept in, which must exist. Undefined: each pod has a volume of its own. */
  readonly claim?: string;
  /** What the service's container sees, read-only. */
  readonly mounts: readonly ContentMount[];
  /** Parts of secrets that the sync program reads from files, and nobody else gets. */
  readonly secrets: readonly ContentSecret[];
  /** Texts that it reads from files too: what is long, or nobody need see where processes are listed. */
  readonly texts?: readonly ContentText[];
}

export type ContentKind = "models" | "repositories";

export interface ContentMount {
  /** Absolute folder in the service's container. */
  readonly path: string;
  /** Folder of the volume, relative. */
  readonly folder: string;
}

export interface ContentSecret {
  /** The secret's name. */
  readonly secret: string;
  readonly key: string;
  /** What the file is called in {@link secretsFolder}. */
  readonly file: string;
}

export interface ContentText {
  readonly text: string;
  /** As of a {@link ContentSecret}. */
  readonly file: string;
}

/** Where the sync program has its volume. */
export const volumeFolder = "/volume";

/** Where the sync program finds files with secrets and texts. A secret that is not there has no file. */
export function secretsFolder(kind: ContentKind): string {
  return `/run/slipway/${kind}`;
}

/** The arguments of the sync image. */
export function syncArguments({ kind, arguments: rest }: Content): string[] {
  return [kind, `--volume=${volumeFolder}`, ...rest];
}

/** Where a volume has a model: a version, or, where none is named, a link to what was the newest the last time somebody looked. */
export function modelFolder({
  registry,
  repository,
  digest,
}: Pick<Reference, "registry" | "repository" | "digest">): string {
  // Names that lie in one another, such as of a and a/b, are beside each other.
  if (digest === undefined) return join("models", "latest", splitDigest(sha256(`${registry}/${repository}`)).hex);
  const { algorithm, hex } = splitDigest(digest);
  return join("models", algorithm, hex);
}
