import { digestOf, isDigest, splitDigest } from "../../oci/digest.ts";
import { maximumManifestSize } from "../../oci/manifest.ts";
import { mediaTypes } from "../../oci/media-types.ts";
import { isTag } from "../../oci/reference.ts";
import { RegistryError } from "../errors.ts";
import { repositoryExists } from "../store/repositories.ts";
import { requireDigest } from "./blobs.ts";
import type { Exchange } from "./context.ts";

export function answerManifest(exchange: Exchange, repository: string, reference: string): Promise<unknown> {
  const { method } = exchange.request;
  const answer = method === "PUT" ? putManifest : method === "DELETE" ? deleteManifest : getManifest;
  return answer(exchange, repository, reference);
}

function unknownManifest(repository: string, reference: string): RegistryError {
  return new RegistryError(404, "MANIFEST_UNKNOWN", `${repository} does not have the manifest ${reference}.`);
}

async function getManifest(
  { store, request, reply }: Exchange,
  repository: string,
  reference: string,
): Promise<unknown> {
  const digest = isDigest(reference)
    ? reference
    : isTag(reference) && (await store.manifests.resolve(repository, reference));
  const manifest = digest && (await store.manifests.read(repository, digest));
  if (!manifest) throw unknownManifest(repository, reference);
  reply.headers({
    "content-type": manifest.mediaType,
    "docker-content-digest": manifest.digest,
    "content-length": manifest.bytes.length,
  });
  return reply.send(request.method === "HEAD" ? undefined : manifest.bytes);
}

async function putManifest(exchange: Exchange, repository: string, reference: string): Promise<unknown> {
  const { store, request, reply } = exchange;
  const byDigest = isDigest(reference);
  if (!byDigest && !isTag(reference)) {
    throw new RegistryError(400, "MANIFEST_INVALID", `${JSON.stringify(reference)} is neither a tag nor a digest.`);
  }
  const bytes = await readManifest(exchange);
  const digest = digestOf(byDigest ? splitDigest(reference).algorithm : "sha256", bytes);
  if (byDigest && digest !== reference) {
    throw new RegistryError(400, "DIGEST_INVALID", `The manifest has digest ${digest}, not ${reference}.`);
  }
  const manifest = { digest, bytes, mediaType: request.headers["content-type"] };
  const { subject } = await store.manifests.write(repository, manifest, byDigest ? undefined : reference);
  return reply
    .code(201)
    .headers({
      location: `/v2/${repository}/manifests/${reference}`,
      "docker-content-digest": digest,
      ...(subject ? { "oci-subject": subject } : {}),
    })
    .send();
}

async function readManifest({ body }: Exchange): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maximumManifestSize) {
      throw new RegistryError(413, "SIZE_INVALID", `The manifest has more than ${maximumManifestSize} bytes.`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function deleteManifest({ store, reply }: Exchange, repository: string, reference: string): Promise<unknown> {
  const removed = isDigest(reference)
    ? await store.manifests.remove(repository, reference)
    : isTag(reference) && (await store.manifests.untag(repository, reference));
  if (!removed) throw unknownManifest(repository, reference);
  return reply.code(202).send();
}

/** OCI distribution specification, "Listing Tags". */
export async function listTags({ store, query, reply }: Exchange, repository: string): Promise<unknown> {
  if (!(await repositoryExists(store.layout, repository))) {
    throw new RegistryError(404, "NAME_UNKNOWN", `There is no repository ${repository}.`);
  }
  const last = query.get("last");
  const after = (await store.manifests.tags(repository)).filter((tag) => last === null || tag > last);
  const n = query.get("n");
  if (n !== null && !/^\d+$/.test(n)) throw new RegistryError(400, "UNSUPPORTED", `n=${n} is not a number of tags.`);
  const page = n === null ? after : after.slice(0, Number(n));
  const end = page.at(-1);
  if (end !== undefined && page.length < after.length) {
    reply.header("link", `</v2/${repository}/tags/list?n=${n}&last=${encodeURIComponent(end)}>; rel="next"`);
  }
  return reply.send({ name: repository, tags: page });
}

/** OCI distribution specification, "Listing Referrers". */
export async function listReferrers(
  { store, query, reply }: Exchange,
  repository: string,
  reference: string,
): Promise<unknown> {
  const all = await store.manifests.referrers(repository, requireDigest(reference));
  const artifactType = query.get("artifactType");
  if (artifactType !== null) reply.header("oci-filters-applied", "artifactType");
  const manifests = artifactType === null ? all : all.filter((each) => each.artifactType === artifactType);
  const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests };
  // Bytes: Fastify adds a charset to the type of a text.
  return reply.header("content-type", mediaTypes.index).send(Buffer.from(JSON.stringify(index)));
}
