import { isDigest } from "../../oci/digest.ts";
import { isRepository } from "../../oci/reference.ts";
import { RegistryError } from "../errors.ts";
import { type Piece, uploadHeaders } from "../store/uploads.ts";
import { requireDigest } from "./blobs.ts";
import type { Exchange } from "./context.ts";

/** POST starts an upload, sends a whole blob, or mounts one: OCI distribution specification, "Pushing Blobs". */
export async function startUpload(exchange: Exchange, repository: string): Promise<unknown> {
  const { store, query, reply } = exchange;
  const mount = query.get("mount");
  if (mount !== null && isDigest(mount) && (await mountBlob(exchange, repository, mount))) {
    return reply.code(201).headers(blobHeaders(repository, mount)).send();
  }
  const wanted = query.get("digest");
  const digest = wanted === null ? undefined : requireDigest(wanted);
  const id = await store.uploads.create(repository);
  if (digest === undefined) {
    reply.code(202).headers(uploadHeaders(repository, id, 0));
    return reply.send();
  }
  try {
    await store.uploads.append(repository, id, exchange.body);
  } catch (error) {
    await store.uploads.cancel(repository, id).catch(() => {});
    throw error;
  }
  await store.uploads.finish(repository, id, digest);
  return reply.code(201).headers(blobHeaders(repository, digest)).send();
}

/** A token is for one repository, so nothing is mounted over TCP. The socket's owner may read all of them. */
async function mountBlob({ store, query, transport }: Exchange, repository: string, mount: string): Promise<boolean> {
  const digest = requireDigest(mount);
  const from = query.get("from");
  if (from !== null && !isRepository(from)) return false;
  if (transport === "tcp" && from !== repository) return false;
  if (from !== null && store.blobs.use(from, digest) === undefined) return false;
  return store.blobs.link(repository, digest);
}

export async function continueUpload(exchange: Exchange, repository: string, id: string): Promise<unknown> {
  const { store, request, body, query, reply } = exchange;
  const state = (size: number) => uploadHeaders(repository, id, size);
  if (!/^[0-9a-f-]{36}$/.test(id)) {
    throw new RegistryError(404, "BLOB_UPLOAD_UNKNOWN", "There is no such upload: start a new one.");
  }
  switch (request.method) {
    case "GET":
      reply.code(204).headers(state(await store.uploads.offset(repository, id)));
      return reply.send();
    case "PATCH":
      reply.code(202).headers(state(await store.uploads.append(repository, id, body, pieceOf(exchange))));
      return reply.send();
    case "PUT": {
      const digest = requireDigest(query.get("digest") ?? "");
      await store.uploads.append(repository, id, body, pieceOf(exchange));
      await store.uploads.finish(repository, id, digest);
      return reply.code(201).headers(blobHeaders(repository, digest)).send();
    }
    default:
      await store.uploads.cancel(repository, id);
      return reply.code(204).send();
  }
}

function pieceOf({ request }: Exchange): Piece {
  const header = request.headers["content-range"];
  if (header === undefined) return {};
  const [matched, first, last] = /^(?:bytes[ =])?(\d+)-(\d+)(?:\/(?:\d+|\*))?$/.exec(header) ?? [];
  if (matched === undefined || Number(last) < Number(first)) {
    throw new RegistryError(416, "BLOB_UPLOAD_INVALID", `Content-Range ${JSON.stringify(header)} is not FIRST-LAST.`);
  }
  return { start: Number(first), length: Number(last) - Number(first) + 1 };
}

function blobHeaders(repository: string, digest: string): Record<string, string> {
  return { location: `/v2/${repository}/blobs/${digest}`, "docker-content-digest": digest };
}
