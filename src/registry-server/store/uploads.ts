import { createHash, type Hash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, rm, stat } from "node:fs/promises";
import { syncFolder } from "../../core/files.ts";
import { type Digest, splitDigest } from "../../oci/digest.ts";
import { ifMissing, isDiskFull, RegistryError } from "../errors.ts";
import { writeFully } from "../files.ts";
import type { BlobStore } from "./blobs.ts";
import type { StoreLayout } from "./layout.ts";

/** The file is authoritative: after a restart the hash is computed from it again. */
interface Session {
  readonly path: string;
  hash: Hash;
  hashed: number;
  /** The next request waits for it. */
  turn: Promise<unknown>;
}

export interface Piece {
  readonly start?: number;
  readonly length?: number;
}

/** OCI distribution specification, "Pushing Blobs". Each upload is a growing file. */
export class Uploads {
  readonly #layout: StoreLayout;
  readonly #blobs: BlobStore;
  readonly #sessions = new Map<string, Session>();

  constructor(layout: StoreLayout, blobs: BlobStore) {
    this.#layout = layout;
    this.#blobs = blobs;
  }

  async create(repository: string): Promise<string> {
    const id = randomUUID();
    await mkdir(this.#layout.uploads(repository), { recursive: true });
    await (await open(this.#layout.upload(repository, id), "wx", 0o600)).close();
    return id;
  }

  async offset(repository: string, id: string): Promise<number> {
    const status = await stat(this.#layout.upload(repository, id)).catch(ifMissing);
    if (!status) throw unknownUpload(id);
    return status.size;
  }

  /** Returns the new size. Keeps what came before a connection broke. A full disk ends the upload and frees space. */
  append(repository: string, id: string, body: AsyncIterable<Buffer>, piece: Piece = {}): Promise<number> {
    return this.#inTurn(repository, id, async (session) => {
      await using handle = await open(session.path, "r+").catch(ifMissing);
      if (!handle) throw unknownUpload(id);
      try {
        const { size } = await handle.stat();
        if (piece.start !== undefined && piece.start !== size) throw wrongRange(repository, id, size);
        return await write(handle, body, size, piece.length, session);
      } catch (error) {
        if (isDiskFull(error)) await this.#remove(id, session);
        throw error;
      }
    });
  }

  /** Makes synced, verified bytes a blob. @throws RegistryError if the digest differs; this removes the upload */
  finish(repository: string, id: string, digest: Digest): Promise<void> {
    return this.#inTurn(repository, id, async (session) => {
      const handle = await open(session.path, "r+").catch(ifMissing);
      if (!handle) throw unknownUpload(id);
      try {
        await handle.sync();
        const { size } = await handle.stat();
        const actual = await digestOfUpload(session, size, digest);
        if (actual !== digest) {
          throw new RegistryError(400, "DIGEST_INVALID", `The content has digest ${actual}, not ${digest}.`);
        }
      } catch (error) {
        await this.#remove(id, session);
        throw error;
      } finally {
        await handle.close();
      }
      await this.#blobs.adopt(session.path, digest);
      await syncFolder(this.#layout.uploads(repository));
      this.#sessions.delete(id);
      await this.#blobs.link(repository, digest);
    });
  }

  cancel(repository: string, id: string): Promise<void> {
    return this.#inTurn(repository, id, async (session) => {
      if (!(await stat(session.path).catch(ifMissing))) throw unknownUpload(id);
      await this.#remove(id, session);
    });
  }

  async #remove(id: string, session: Session): Promise<void> {
    this.#sessions.delete(id);
    await rm(session.path, { force: true });
  }

  async #inTurn<Result>(repository: string, id: string, act: (session: Session) => Promise<Result>): Promise<Result> {
    const path = this.#layout.upload(repository, id);
    const session = this.#sessions.get(id) ?? { path, hash: createHash("sha256"), hashed: 0, turn: Promise.resolve() };
    if (session.path !== path) throw unknownUpload(id);
    this.#sessions.set(id, session);
    const result = session.turn.then(() => act(session));
    session.turn = result.catch(() => {});
    try {
      return await result;
    } catch (error) {
      if (error instanceof RegistryError && error.code === "BLOB_UPLOAD_UNKNOWN") this.#sessions.delete(id);
      throw error;
    }
  }
}

/** Hashes one chunk while the one before is being written. */
async function write(
  handle: FileHandle,
  body: AsyncIterable<Buffer>,
  start: number,
  length: number | undefined,
  session: Session,
): Promise<number> {
  let position = start;
  let written = Promise.resolve();
  const follows = session.hashed === start;
  const end = length === undefined ? Number.POSITIVE_INFINITY : start + length;
  try {
    for await (const chunk of body) {
      if (position + chunk.length > end) {
        throw new RegistryError(400, "SIZE_INVALID", `More than the ${length} bytes came that the request announced.`);
      }
      await written;
      written = writeFully(handle, chunk, position);
      written.catch(() => {});
      position += chunk.length;
      if (follows) session.hash.update(chunk);
    }
    await written;
    if (follows) session.hashed = position;
    return position;
  } catch (error) {
    await written.catch(() => {});
    // If the chunk breaks off, `hashed` differs from the file's size, and finish computes the hash again.
    if (follows) session.hashed = Number.NaN;
    if (error instanceof RegistryError) await handle.truncate(start);
    throw error;
  }
}

async function digestOfUpload(session: Session, size: number, wanted: Digest): Promise<Digest> {
  const { algorithm } = splitDigest(wanted);
  if (algorithm === "sha256" && session.hashed === size) return `sha256:${session.hash.digest("hex")}`;
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(session.path, { highWaterMark: 1024 * 1024 }))
    hash.update(chunk as Buffer);
  return `${algorithm}:${hash.digest("hex")}`;
}

function unknownUpload(id: string): RegistryError {
  return new RegistryError(404, "BLOB_UPLOAD_UNKNOWN", `There is no upload ${id}: start a new one.`);
}

function wrongRange(repository: string, id: string, size: number): RegistryError {
  const state = uploadHeaders(repository, id, size);
  return new RegistryError(416, "BLOB_UPLOAD_INVALID", `The upload goes on at byte ${size}.`, state);
}

export function uploadHeaders(repository: string, id: string, size: number): Record<string, string> {
  return {
    location: `/v2/${repository}/blobs/uploads/${id}`,
    // The specification cannot say "nothing yet".
    range: `0-${Math.max(size - 1, 0)}`,
    "docker-upload-uuid": id,
  };
}
