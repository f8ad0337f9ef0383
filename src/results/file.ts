import { randomBytes } from "node:crypto";
import { constants, createReadStream, createWriteStream, openSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Failure, messageOf } from "../core/errors.ts";
import { emptyContent, emptyDescriptor } from "../oci/artifact.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, splitDigest } from "../oci/digest.ts";
import { canonicalJson } from "../oci/json.ts";
import { type ImageManifest, parseImageManifest } from "../oci/manifest.ts";
import { mediaTypes } from "../oci/media-types.ts";
import type { RegistryClient } from "../registry/client/client.ts";

/** One blob, kept from garbage collection by an artifact whose tag is the content's digest: one question finds it. */
const fileType = "application/vnd.slipway.file.v1";
const contentType = "application/octet-stream";
const createdKey = "org.opencontainers.image.created";

export type FileContent = Pick<Descriptor, "digest" | "size">;

export function tagOfFile(digest: Digest): string {
  return `files-${splitDigest(digest).hex}`;
}

/** Undefined: not a file's tag. */
export function digestOfTag(tag: string): Digest | undefined {
  const hex = /^files-([0-9a-f]{64})$/.exec(tag)?.[1];
  return hex === undefined ? undefined : `sha256:${hex}`;
}

function composeFile({ digest, size }: FileContent, stored: Date): Uint8Array<ArrayBuffer> {
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: fileType,
    config: emptyDescriptor,
    layers: [{ mediaType: contentType, digest, size }],
    annotations: { [createdKey]: stored.toISOString() },
  };
  return canonicalJson(manifest);
}

/** Undefined: Slipway did not make its artifact. */
export function storedAt(tag: string, bytes: Uint8Array): Date | undefined {
  try {
    const { artifactType, annotations = {} } = parseImageManifest(bytes, { document: tag });
    const stored = new Date(annotations[createdKey] ?? "");
    return artifactType === fileType && !Number.isNaN(stored.getTime()) ? stored : undefined;
  } catch {
    return undefined;
  }
}

export interface FilePlace {
  readonly client: RegistryClient;
  readonly repository: string;
}

/** One request if it is there. @param path undefined: the repository should have the blob already */
export async function storeFile(
  { client, repository }: FilePlace,
  content: FileContent,
  path?: string,
  now = new Date(),
): Promise<void> {
  const tag = tagOfFile(content.digest);
  if (await client.headManifest(repository, tag, { push: true })) return;
  if ((await client.headBlob(repository, content.digest, { push: true })) === undefined) {
    if (path === undefined) throw lostContent(content, `${client.registry}/${repository}`);
    // A container may have put a link or a pipe there.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const open = (start: number, end: number) =>
      end > start
        ? createReadStream(path, { fd: openSync(path, flags), start, end: end - 1, highWaterMark: 1 << 18 })
        : Readable.from([]);
    await client.pushBlob({ repository, descriptor: content, open });
  }
  const openEmpty = (start: number, end: number) =>
    Readable.from([emptyContent.subarray(start, end)], { objectMode: false });
  if ((await client.headBlob(repository, emptyDescriptor.digest, { push: true })) === undefined)
    await client.pushBlob({ repository, descriptor: emptyDescriptor, open: openEmpty });
  await client.putManifest(repository, tag, composeFile(content, now), mediaTypes.manifest);
}

/** It is there whole, and verified, or not at all. */
export async function fetchFile({ client, repository }: FilePlace, content: FileContent, path: string): Promise<void> {
  const partial = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    await pipeline(client.getBlob(repository, content), createWriteStream(partial, { flags: "wx", mode: 0o444 }));
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    if ((error as { code?: unknown }).code !== "image-not-found") throw error;
    throw lostContent(content, `${client.registry}/${repository}`, messageOf(error));
  }
}

function lostContent({ digest }: FileContent, place: string, cause?: string): Failure {
  return new Failure(
    { code: "content-lost", culprit: digest },
    `${place} no longer has the content ${digest} of a function's file.`,
    "Call the function that made it again.",
    { cause },
  );
}
