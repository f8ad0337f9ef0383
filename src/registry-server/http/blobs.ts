import { type Digest, isDigest } from "../../oci/digest.ts";
import { RegistryError } from "../errors.ts";
import type { Exchange } from "./context.ts";

/** Bytes. */
const readSize = 512 * 1024;

export function requireDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new RegistryError(400, "DIGEST_INVALID", `${JSON.stringify(text)} is not a sha256 or sha512 digest.`);
}

/** GET, HEAD and DELETE: OCI distribution specification, "Pulling blobs" and "Deleting Blobs". */
export async function answerBlob(exchange: Exchange, repository: string, reference: string): Promise<unknown> {
  const { store, request, reply } = exchange;
  const digest = requireDigest(reference);
  const unknown = () => new RegistryError(404, "BLOB_UNKNOWN", `${repository} does not have the blob ${digest}.`);

  if (request.method === "DELETE") {
    const user = await store.manifests.userOf(repository, digest);
    if (user) throw new RegistryError(405, "UNSUPPORTED", `The manifest ${user} needs this blob: delete that first.`);
    if (!(await store.blobs.unlink(repository, digest))) throw unknown();
    return reply.code(202).send();
  }
  const opened = await store.blobs.open(repository, digest);
  if (!opened) throw unknown();
  const { handle, size } = opened;
  reply.headers({
    "content-type": "application/octet-stream",
    "docker-content-digest": digest,
    "accept-ranges": "bytes",
  });
  const range = parseRange(request.headers.range, size);
  if (request.method === "HEAD" || size === 0 || range === "unsatisfiable") {
    await handle.close();
    if (range === "unsatisfiable" && request.method !== "HEAD") {
      throw new RegistryError(416, "SIZE_INVALID", `The blob has ${size} bytes.`, {
        "content-range": `bytes */${size}`,
      });
    }
    return reply.header("content-length", size).send();
  }
  const { start, end } = range ?? { start: 0, end: size - 1 };
  if (range) reply.code(206).header("content-range", `bytes ${start}-${end}/${size}`);
  reply.header("content-length", end - start + 1);
  return reply.send(handle.createReadStream({ start, end, highWaterMark: readSize }));
}

/** One range, as clients that resume ask for; others get everything, which RFC 9110 allows. */
function parseRange(
  header: string | undefined,
  size: number,
): { start: number; end: number } | "unsatisfiable" | undefined {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (first === "" && last === "") return undefined;
  const start = first === "" ? Math.max(size - Number(last), 0) : Number(first);
  const end = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  return start > end ? "unsatisfiable" : { start, end };
}
