import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, isDigest } from "../../oci/digest.ts";
import { blobPath } from "../../oci/layout.ts";
import { ifMissing } from "../errors.ts";

/**
 * The registry's data folder:
 *
 *     blobs/sha256/HEX                            content, whole and verified, shared by all repositories
 *     repositories/NAME/_blobs/sha256-HEX         empty: this repository has the blob
 *     repositories/NAME/_manifests/sha256-HEX     media type of a manifest whose bytes are a blob
 *     repositories/NAME/_tags/TAG                 digest
 *     repositories/NAME/_referrers/sha256-HEX/…   empty, named by the manifests whose subject is that digest
 *     repositories/NAME/_uploads/ID               the received part of a blob
 *     temporary/…                                 files while they are written; a new server empties it
 *
 * A component of a repository's name never starts with an underscore, so names and ours cannot meet.
 */
export class StoreLayout {
  readonly root: string;
  readonly temporary: string;
  readonly repositories: string;
  readonly blobs: string;

  constructor(root: string) {
    this.root = root;
    this.temporary = join(root, "temporary");
    this.repositories = join(root, "repositories");
    this.blobs = join(root, "blobs");
  }

  blob(digest: Digest): string {
    return join(this.root, blobPath(digest));
  }

  repository(name: string): string {
    return join(this.repositories, name);
  }

  blobLinks(name: string): string {
    return join(this.repository(name), "_blobs");
  }

  blobLink(name: string, digest: Digest): string {
    return join(this.blobLinks(name), fileName(digest));
  }

  manifests(name: string): string {
    return join(this.repository(name), "_manifests");
  }

  manifest(name: string, digest: Digest): string {
    return join(this.manifests(name), fileName(digest));
  }

  tags(name: string): string {
    return join(this.repository(name), "_tags");
  }

  tag(name: string, tag: string): string {
    return join(this.tags(name), tag);
  }

  referrers(name: string, subject: Digest): string {
    return join(this.repository(name), "_referrers", fileName(subject));
  }

  referrer(name: string, subject: Digest, digest: Digest): string {
    return join(this.referrers(name, subject), fileName(digest));
  }

  uploads(name: string): string {
    return join(this.repository(name), "_uploads");
  }

  upload(name: string, id: string): string {
    return join(this.uploads(name), id);
  }
}

function fileName(digest: Digest): string {
  return digest.replace(":", "-");
}

export async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(ifMissing)) ?? [];
}

export async function digestsIn(folder: string): Promise<Digest[]> {
  return (await namesIn(folder)).map((name) => name.replace("-", ":")).filter(isDigest);
}
