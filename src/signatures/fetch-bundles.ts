import { Failure, UserError } from "../core/errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { parseImageManifest } from "../oci/manifest.ts";
import { mediaTypes } from "../oci/media-types.ts";
import { formatReference } from "../oci/reference.ts";
import type { RegistryClient } from "../registry/client/client.ts";
import { bundleType, type Claim, predicateAnnotation, readClaim } from "./bundle.ts";

export interface FoundSignature {
  /** Of the artifact with the signature. */
  readonly digest: Digest;
  /** Of a bundle, or of what cosign wrote before version 3. */
  readonly mediaType: string;
}

export interface FetchedBundle {
  readonly bytes: Buffer;
  readonly claim: Claim;
}

/** One that is listed. `read` gives its content, which nothing keeps: several large ones would exceed the memory. */
export interface ListedBundle extends FoundSignature {
  readonly read: () => Promise<FetchedBundle>;
}

type ReadError = UserError | Failure;

/** Bytes of manifests and bundles for one question. Anyone with the right to push can attach junk. */
const mostBytes = 256 * 1024 * 1024;

/** Bytes, so that reading it takes less than 256 MiB of memory. */
export const largestBundle = 16 * 1024 * 1024;

/** Bytes of bundles that are read at once, and their number. */
export const [smallBundle, atOnce] = [256 * 1024, 16];

/** Bytes. Cosign's have 900. */
const largestManifest = 64 * 1024;

/** Clients write these for no type into lists of referrers, where the registry has no API for them. */
const noTypes: readonly unknown[] = [undefined, "", mediaTypes.empty, mediaTypes.config];

/** Each when the caller asks for it. Skips what is no bundle. @throws Failure for more than 256 MiB, or of the list */
export async function* bundlesOf(
  client: RegistryClient,
  repository: string,
  image: Digest,
  predicateType: string,
): AsyncGenerator<ListedBundle> {
  const spend = budgetFor(client, repository, image);
  const seen = new Set<Digest>();
  for await (const all of client.referrerLists(repository, image)) {
    const listed = all.filter(
      ({ digest, artifactType, size, annotations = {} }) =>
        (artifactType === bundleType || noTypes.includes(artifactType)) &&
        size <= largestManifest &&
        // The registry lists annotations; a list that a client wrote can lack them.
        (annotations[predicateAnnotation] ?? predicateType) === predicateType &&
        !seen.has(digest),
    );
    for (const { digest } of listed) seen.add(digest);
    yield* fetchBundles(client, repository, image, listed, spend);
  }
}

async function* fetchBundles(
  client: RegistryClient,
  repository: string,
  image: Digest,
  listed: readonly Descriptor[],
  spend: (bytes: number) => void,
): AsyncGenerator<ListedBundle> {
  for (let start = 0; start < listed.length; start += atOnce) {
    const some = await Promise.all(
      listed.slice(start, start + atOnce).map(async ({ digest, size }) => {
        spend(size);
        const layer = await orError(() => layerOf(client, repository, digest, image));
        if (!layer || isError(layer)) return { digest, layer };
        spend(Math.min(layer.size, largestBundle));
        return layer.size > smallBundle
          ? { digest, layer }
          : { digest, layer, small: await readLayer(client, repository, layer) };
      }),
    );
    for (const { digest, layer, small } of some) {
      if (!layer) continue;
      const read = async () => {
        const bytes = orThrow(small ?? (await readLayer(client, repository, orThrow(layer))));
        return { bytes, claim: readClaim(bytes, `Signature ${digest}`) };
      };
      yield { digest, mediaType: bundleType, read };
    }
  }
}

/** Each when the caller asks for it. Cosign keeps them in the image under a tag. */
export async function* fetchLayers(
  client: RegistryClient,
  repository: string,
  tag: string,
  mediaType: string,
): AsyncGenerator<{ readonly layer: Descriptor; readonly read: () => Promise<Buffer> }> {
  const stored = await client.getManifest(repository, tag);
  if (!stored) return;
  const manifest = await orError(() => parseImageManifest(stored.bytes));
  if (isError(manifest)) return;
  const spend = budgetFor(client, repository, tag);
  for (const layer of manifest.layers) {
    if (layer.mediaType !== mediaType) continue;
    spend(Math.min(layer.size, largestBundle));
    yield { layer, read: async () => orThrow(await readLayer(client, repository, layer)) };
  }
}

/** Undefined: the artifact is no bundle, or is gone. */
async function layerOf(
  client: RegistryClient,
  repository: string,
  digest: Digest,
  image: Digest,
): Promise<Descriptor | undefined> {
  const stored = await client.getManifest(repository, digest);
  if (!stored) return undefined;
  const { subject, layers } = parseImageManifest(stored.bytes);
  const [layer] = layers;
  return subject?.digest === image && layer?.mediaType === bundleType ? layer : undefined;
}

function readLayer(client: RegistryClient, repository: string, layer: Descriptor): Promise<Buffer | ReadError> {
  return orError(() => client.readBlob(repository, layer, "signature", undefined, largestBundle));
}

export async function orError<T>(read: () => T | Promise<T>): Promise<T | ReadError> {
  try {
    return await read();
  } catch (error) {
    if (isError(error)) return error;
    throw error;
  }
}

function orThrow<T>(value: T | ReadError): T {
  if (isError(value)) throw value;
  return value;
}

function isError(value: unknown): value is ReadError {
  return value instanceof UserError || value instanceof Failure;
}

function budgetFor(client: RegistryClient, repository: string, image: string): (bytes: number) => void {
  let left = mostBytes;
  return (bytes) => {
    left -= bytes;
    if (left >= 0) return;
    const name = formatReference({ registry: client.registry, repository, digest: image as Digest });
    throw new Failure(
      { code: "signature-invalid", culprit: name },
      `${name} has more than ${mostBytes / 1024 / 1024} MiB of signatures and attestations, and none of those that were read is valid.`,
      `List them with \`slipway image referrers ${name}\`, and remove the junk.`,
    );
  };
}
