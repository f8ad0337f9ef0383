import { join } from "node:path";
import { sha256, splitDigest } from "../oci/digest.ts";
import type { Reference } from "../oci/reference.ts";

/**
 * Content that a service gets before its program starts: one run of the sync program, `sync KIND --volume=/volume ARGUMENTS…`, and what the
 * service's container sees of the volume afterwards. Kubernetes and podman make the same of it.
 */
export interface Content {
  /** The argument of the sync program, and the name of its volume. */
  readonly kind: ContentKind;
  /** Public facts: they are shown wherever processes are listed. */
  readonly arguments: readonly string[];
  /** The volume claim with the content, which must exist. Undefined: each pod has its own volume. */
  readonly claim?: string;
  /** Folders that the service's container sees, read-only. */
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
  /** The name of the file in {@link secretsFolder}. */
  readonly file: string;
}

export interface ContentText {
  readonly text: string;
  /** As of a {@link ContentSecret}. */
  readonly file: string;
}

/** The folder of the sync program's volume. */
export const volumeFolder = "/volume";

/** The folder with the sync program's secrets and texts. A missing secret has no file. */
export function secretsFolder(kind: ContentKind): string {
  return `/run/slipway/${kind}`;
}

/** The arguments of the sync image. */
export function syncArguments({ kind, arguments: rest }: Content): string[] {
  return [kind, `--volume=${volumeFolder}`, ...rest];
}

/** The folder of a model in a volume: of a version, or, without one, a link to the newest version when it was last checked. */
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
